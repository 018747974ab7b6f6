import { refusal } from './handshake-messages.ts';
import type { Wire, WireListener } from './wire.ts';

/** Takes a handshake's messages off a wire one by one, then hands the wire on with what is left. */
export interface Mailbox {
  /** The next message; rejects with HANDSHAKE_FAILED after the time, or if the wire closes. */
  take(milliseconds: number): Promise<Uint8Array>;
  /** The wire for whoever comes next: nothing that has come in is lost. */
  handOn(): Wire;
}

/** A peer that sends more than this before it is asked has to wait. */
const FULL = 2;

export function mailboxOf(wire: Wire): Mailbox {
  const waiting: Uint8Array[] = [];
  const state = { isClosed: false, wake: asleep };
  wire.listen({
    message: (bytes) => {
      waiting.push(bytes);
      if (waiting.length === FULL) wire.pause();
      state.wake();
    },
    close: () => {
      state.isClosed = true;
      state.wake();
    },
  });

  const take = (milliseconds: number): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        state.wake = asleep;
        reject(refusal('the other side takes too long'));
      }, milliseconds);
      state.wake = () => {
        const next = waiting.shift();
        if (next === undefined && !state.isClosed) return;
        clearTimeout(late);
        state.wake = asleep;
        if (next === undefined) reject(refusal('the other side has closed the connection'));
        else resolve(next);
      };
      state.wake();
    });
  return { take, handOn: () => ({ ...wire, listen: (listener) => handOn(listener) }) };

  function handOn(listener: WireListener): void {
    wire.listen(listener);
    for (const bytes of waiting.splice(0)) listener.message(bytes);
    if (state.isClosed) listener.close();
    wire.resume();
  }
}

function asleep(): void {
  // Nobody waits for a message.
}
