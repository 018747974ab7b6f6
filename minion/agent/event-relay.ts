import type { RunEvent } from '../../protocol/report.ts';

/** Passes a run's events on to the master as fast as it takes them, and never holds many. */
export interface EventRelay {
  add(event: RunEvent): void;
  /** Resolves when all that matters has been passed on, or cannot be. Nothing is sent after it. */
  finish(): Promise<void>;
}

export interface RelayParts {
  /** A rejection means that the event is lost, which does no harm: the report holds it too. */
  readonly send: (event: RunEvent) => Promise<void>;
  /** The least time between two events that only tell of progress. */
  readonly progressMs?: number;
  readonly capacity?: number;
}

const PROGRESS_MS = 100;
const CAPACITY = 512;

interface Waiting {
  /** What changed or failed: each is passed on. */
  readonly news: RunEvent[];
  /** Of mere progress only the newest, now and then. */
  progress: RunEvent | null;
  /** Until it fires, progress has to wait. */
  timer: NodeJS.Timeout | null;
}

export function createEventRelay({
  send,
  progressMs = PROGRESS_MS,
  capacity = CAPACITY,
}: RelayParts): EventRelay {
  const waiting: Waiting = { news: [], progress: null, timer: null };
  let sending = Promise.resolve();
  let isSending = false;
  let isFinished = false;

  const pump = async (): Promise<void> => {
    isSending = true;
    for (let event = next(waiting); event !== null; event = next(waiting)) {
      if (isProgress(event)) {
        waiting.timer = setTimeout(() => {
          waiting.timer = null;
          start();
        }, progressMs);
      }
      await send(event).catch(lost);
    }
    isSending = false;
  };
  const start = (): void => {
    if (!isSending) sending = pump();
  };
  return {
    add: (event) => {
      if (isFinished) return;
      if (isProgress(event)) waiting.progress = event;
      else addNews(waiting, event, capacity);
      start();
    },
    finish: async () => {
      isFinished = true;
      waiting.progress = null;
      if (waiting.timer !== null) clearTimeout(waiting.timer);
      await sending;
    },
  };
}

/** Progress that has not been passed on by then is what was before it. */
function addNews(waiting: Waiting, event: RunEvent, capacity: number): void {
  waiting.progress = null;
  if (waiting.news.length < capacity) waiting.news.push(event);
}

function lost(): void {
  // There is no session just now, and by the next one the event is old.
}

function next(waiting: Waiting): RunEvent | null {
  const first = waiting.news.shift();
  if (first !== undefined) return first;
  if (waiting.timer !== null) return null;
  const latest = waiting.progress;
  waiting.progress = null;
  return latest;
}

function isProgress(event: RunEvent): boolean {
  if (event.event !== 'outcome') return true;
  const { status, reaction } = event.outcome;
  return (status === 'unchanged' || status === 'skipped') && reaction === undefined;
}
