import { messageOf } from '../shared/errors.ts';

export type Handler<Message> = (message: Message) => void | Promise<void>;

/** What has come in and waits to be handled, one message at a time. */
export interface Inbox<Message> {
  put(message: Message): void;
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

export function createInbox<Message>(events: InboxEvents): Inbox<Message> {
  const waiting: Message[] = [];
  const state = { isHandling: false, isPaused: false };
  let handler: Handler<Message> | null = null;

  const handle = async (): Promise<void> => {
    if (state.isHandling || handler === null) return;
    state.isHandling = true;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await handler(next);
        if (state.isPaused && waiting.length <= EASY) setPaused(state, events, false);
      }
    } catch (error) {
      events.fail(error instanceof Error ? error : new Error(messageOf(error)));
    } finally {
      state.isHandling = false;
    }
  };

  return {
    put: (message) => {
      waiting.push(message);
      if (waiting.length >= FULL && !state.isPaused) setPaused(state, events, true);
      void handle();
    },
    listen: (next) => {
      handler = next;
      void handle();
    },
    clear: () => {
      waiting.length = 0;
    },
    get isEmpty() {
      return waiting.length === 0 && !state.isHandling;
    },
    get isPaused() {
      return state.isPaused;
    },
  };
}

function setPaused(state: { isPaused: boolean }, events: InboxEvents, isPaused: boolean): void {
  Object.assign(state, { isPaused });
  if (isPaused) events.pause();
  else events.resume();
}
