import { messageOf } from '../shared/errors.ts';

export type Handler<Message> = (message: Message) => void | Promise<void>;

/** What has come in and waits to be handled, one message at a time. */
export interface Inbox<Message> {
  /** `bytes`: how large it was on its way. */
  put(message: Message, bytes: number): void;
  listen(handler: Handler<Message>): void;
  clear(): void;
  readonly isEmpty: boolean;
  /** The sender is made to wait because too much is in here. */
  readonly isPaused: boolean;
}

export interface InboxEvents {
  readonly pause: () => void;
  readonly resume: () => void;
  /** The handler has thrown. */
  readonly fail: (error: Error) => void;
}

const FULL = 64;
const EASY = 16;
/** Of what waits and what is being handled: a sender of large messages gets one of them done at a time. */
const FULL_BYTES = 1024 * 1024;

export function createInbox<Message>(events: InboxEvents): Inbox<Message> {
  const waiting: { readonly message: Message; readonly bytes: number }[] = [];
  const state = { isHandling: false, isPaused: false, bytes: 0 };
  let handler: Handler<Message> | null = null;

  const handle = async (): Promise<void> => {
    if (state.isHandling || handler === null) return;
    state.isHandling = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await handler(next.message);
        state.bytes -= next.bytes;
        if (isEasy(waiting.length, state)) setPaused(state, events, false);
      }
    } catch (error) {
      events.fail(error instanceof Error ? error : new Error(messageOf(error)));
    } finally {
      state.isHandling = false;
    }
  };

  return {
    put: (message, bytes) => {
      waiting.push({ message, bytes });
      state.bytes += bytes;
      if (isFull(waiting.length, state)) setPaused(state, events, true);
      void handle();
    },
    listen: (next) => {
      handler = next;
      void handle();
    },
    clear: () => void waiting.splice(0),
    get isEmpty() {
      return waiting.length === 0 && !state.isHandling;
    },
    get isPaused() {
      return state.isPaused;
    },
  };
}

interface Held {
  readonly isPaused: boolean;
  readonly bytes: number;
}

function isFull(count: number, { isPaused, bytes }: Held): boolean {
  return !isPaused && (count >= FULL || bytes >= FULL_BYTES);
}

function isEasy(count: number, { isPaused, bytes }: Held): boolean {
  return isPaused && count <= EASY && bytes < FULL_BYTES;
}

function setPaused(state: { isPaused: boolean }, events: InboxEvents, isPaused: boolean): void {
  Object.assign(state, { isPaused });
  if (isPaused) events.pause();
  else events.resume();
}
