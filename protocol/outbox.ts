import { ConductorError } from '../shared/errors.ts';
import { concat, u8, utf8 } from './bytes.ts';
import { RECORD } from './records.ts';
import { SINGLE_RECORD_MAXIMUM, STREAMS_AT_ONCE, chunksOf } from './streams.ts';

/**
 * What waits to be sent. Heartbeats and the like go first; then small messages in their order take
 * turns with the chunks of at most four streams, so that no big message holds up the small ones.
 */
export interface Outbox {
  /** Before everything else. */
  urgent(plaintext: Uint8Array): Promise<void>;
  /** Resolves when the message has left; rejects if the channel ends before. */
  message(type: string, body: string): Promise<void>;
  readonly isEmpty: boolean;
  /** Drops all that waits, and sends one last record if there is one. Nothing follows it. */
  end(reason: Error, last: Uint8Array | null): Promise<void>;
}

interface Waiting {
  readonly plaintexts: Iterator<Uint8Array>;
  /** Read one ahead, so that its last plaintext is known to be the last. */
  next: IteratorResult<Uint8Array>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Queues {
  readonly urgent: Waiting[];
  readonly small: Waiting[];
  readonly streams: Waiting[];
  wasSmall: boolean;
}

type Transmit = (plaintext: Uint8Array) => Promise<void>;

/** `transmit` resolves when more can be sent. */
export function createOutbox(transmit: Transmit): Outbox {
  const queues: Queues = { urgent: [], small: [], streams: [], wasSmall: false };
  const state: { isPumping: boolean; failure: Error | null } = { isPumping: false, failure: null };
  let nextStream = 0;
  // The last look into the queues and the end of pumping are one step: nothing can slip in between.
  const pump = async (): Promise<void> => {
    state.isPumping = true;
    for (let queue = choose(queues); queue !== null; queue = choose(queues)) {
      await sendOne(queue, transmit).catch((error: unknown) => {
        fail(queues, state, asError(error));
      });
    }
    state.isPumping = false;
  };
  const put = (queue: Waiting[], plaintexts: Iterator<Uint8Array>): Promise<void> =>
    new Promise((resolve, reject) => {
      queue.push({ plaintexts, next: plaintexts.next(), resolve, reject });
      if (!state.isPumping) void pump();
    });
  const whileOpen = (queue: Waiting[], plaintexts: Iterator<Uint8Array>): Promise<void> =>
    state.failure === null ? put(queue, plaintexts) : Promise.reject(state.failure);
  return {
    urgent: (plaintext) => whileOpen(queues.urgent, [plaintext].values()),
    message: (type, text) => {
      const body = utf8(text);
      if (body.length <= SINGLE_RECORD_MAXIMUM)
        return whileOpen(queues.small, [concat(u8(RECORD.message), body)].values());
      nextStream += 1;
      return whileOpen(queues.streams, chunksOf(nextStream - 1, type, body));
    },
    get isEmpty() {
      return !state.isPumping;
    },
    end: async (reason, last) => {
      fail(queues, state, reason);
      if (last !== null) await put(queues.urgent, [last].values());
    },
  };
}

function fail(
  { urgent, small, streams }: Queues,
  state: { failure: Error | null },
  reason: Error,
): void {
  Object.assign(state, { failure: state.failure ?? reason });
  for (const queue of [urgent, small, streams])
    for (const waiting of queue.splice(0)) waiting.reject(reason);
}

/** The queue whose first entry may send its next plaintext now. */
function choose(queues: Queues): Waiting[] | null {
  const { urgent, small, streams, wasSmall } = queues;
  if (urgent.length > 0) return urgent;
  if (small.length === 0 && streams.length === 0) return null;
  queues.wasSmall = streams.length === 0 || (small.length > 0 && !wasSmall);
  return queues.wasSmall ? small : streams;
}

async function sendOne(queue: Waiting[], transmit: Transmit): Promise<void> {
  const waiting = queue.shift();
  if (waiting === undefined || waiting.next.done === true) return;
  const plaintext = waiting.next.value;
  waiting.next = waiting.plaintexts.next();
  const isLast = waiting.next.done === true;
  // Back at the end of those that are under way, so that the streams take turns.
  if (!isLast) queue.splice(STREAMS_AT_ONCE - 1, 0, waiting);
  try {
    await transmit(plaintext);
  } catch (error) {
    waiting.reject(asError(error));
    throw error;
  }
  if (isLast) waiting.resolve();
}

function asError(error: unknown): Error {
  return error instanceof Error
    ? error
    : new ConductorError('CHANNEL_CLOSED', 'Cannot send: the connection failed', { cause: error });
}
