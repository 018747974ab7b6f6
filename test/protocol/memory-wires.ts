import type { Wire, WireListener } from '../../protocol/wire.ts';

export interface WireEnd {
  readonly wire: Wire;
  /** All that was sent into this end. */
  readonly sent: Uint8Array[];
  /** The code it was closed with; `null` if it was terminated, `undefined` if it is open. */
  closedWith: number | null | undefined;
}

export interface WirePair {
  readonly master: WireEnd;
  readonly minion: WireEnd;
}

export interface Tampering {
  /** May change, drop (`null`) or multiply what crosses. */
  /** Until a message is there. */
  readonly delayMs?: number;
  readonly relay?: (bytes: Uint8Array, from: keyof WirePair, index: number) => Uint8Array[];
}

/** Two ends of one wire in memory; like a socket's, deliveries are never synchronous. */
export function memoryWires({ relay = (bytes) => [bytes], delayMs = 0 }: Tampering = {}): WirePair {
  const listeners = new Map<keyof WirePair, WireListener>();
  const kept = { master: [] as Uint8Array[], minion: [] as Uint8Array[] };
  let isOpen = true;
  const deliver = (to: keyof WirePair, bytes: Uint8Array): void => {
    const listener = listeners.get(to);
    if (listener === undefined) kept[to].push(bytes);
    else listener.message(bytes);
  };
  const end = (side: keyof WirePair): WireEnd => {
    const other = side === 'master' ? 'minion' : 'master';
    const self: WireEnd = { sent: [], closedWith: undefined, wire: wireOf() };
    const shut = (code: number | null): void => {
      if (self.closedWith === undefined) self.closedWith = code;
      setImmediate(() => {
        if (!isOpen) return;
        isOpen = false;
        for (const listener of listeners.values()) listener.close();
      });
    };
    function wireOf(): Wire {
      return {
        send: (bytes) => {
          if (!isOpen) return Promise.reject(new Error('the wire is closed'));
          self.sent.push(bytes);
          const crossing = relay(bytes, side, self.sent.length - 1);
          return new Promise((resolve) => {
            const arrive = (): void => {
              for (const each of crossing) deliver(other, each);
              resolve();
            };
            if (delayMs > 0) setTimeout(arrive, delayMs);
            else setImmediate(arrive);
          });
        },
        close: (code) => {
          shut(code);
        },
        terminate: () => {
          shut(null);
        },
        pause: () => undefined,
        resume: () => undefined,
        listen: (listener) => {
          listeners.set(side, listener);
          for (const bytes of kept[side].splice(0)) listener.message(bytes);
        },
      };
    }
    return self;
  };
  return { master: end('master'), minion: end('minion') };
}
