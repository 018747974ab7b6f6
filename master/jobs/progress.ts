import type { RunEvent } from '../../protocol/report.ts';

/** How far a run has come. */
export interface Progress {
  readonly number: number;
  readonly total: number;
  /** The state that is under way. */
  readonly current: string;
}

type Started = Extract<RunEvent, { event: 'started' }>;

/** Kept in memory only: after a restart it is unknown until the minion's next event. */
export interface ProgressBoard {
  get(job: string, minion: string): Progress | null;
  /** What it said last of where it is. */
  last(job: string, minion: string): Started | null;
  note(job: string, minion: string, event: RunEvent): void;
  forget(job: string, minion: string): void;
  /** It waits for another run, until it has come further. */
  waits(job: string, minion: string, words: string): void;
  /** What it waits for, in words; `null` if it does not. */
  waitingFor(job: string, minion: string): string | null;
}

export function createProgressBoard(): ProgressBoard {
  const board = new Map<string, Started>();
  const waiting = new Map<string, string>();
  return {
    get(job, minion) {
      const started = board.get(key(job, minion));
      if (started === undefined) return null;
      const { number, total, type, id } = started;
      return { number, total, current: `${type} ${id}` };
    },
    last: (job, minion) => board.get(key(job, minion)) ?? null,
    note(job, minion, event) {
      waiting.delete(key(job, minion));
      if (event.event === 'started') board.set(key(job, minion), event);
    },
    forget(job, minion) {
      board.delete(key(job, minion));
      waiting.delete(key(job, minion));
    },
    waits: (job, minion, words) => void waiting.set(key(job, minion), words),
    waitingFor: (job, minion) => waiting.get(key(job, minion)) ?? null,
  };
}

function key(job: string, minion: string): string {
  return `${job} ${minion}`;
}
