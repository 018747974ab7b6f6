import type { Logger } from '../../shared/log.ts';
import type { Presence } from '../sessions/presence.ts';
import type { Store } from '../store/store.ts';
import type { ProgressBoard } from './progress.ts';
import type { TargetBoard } from './target-board.ts';
import type { Unanswered } from './unanswered.ts';

export interface JobParts {
  readonly store: Store;
  readonly presence: Presence;
  readonly log: Logger;
  readonly now: () => Date;
  /** Milliseconds since some moment, by a clock that nobody sets. */
  readonly elapsed: () => number;
  /** The newest revision of the tree; `null` if there is none. */
  readonly newest: () => string | null;
}

/** Lets the targets of jobs have their turn. All that it goes by is in the store. */
export interface JobTurns {
  /** Looks whose turn it is; who asks in the middle of that has it done once more. */
  check(job: string): Promise<void>;
  /** As `check`, if any target of the job is known to wait; a failure is the log's. */
  poke(job: string): void;
  /** Jobs to which something happens because time goes by. */
  tick(): Promise<void>;
  /** Takes up what a process before this one has left. */
  resume(): Promise<void>;
}

/** What the functions of this folder share. */
export interface JobContext extends JobParts {
  readonly board: TargetBoard;
  readonly progress: ProgressBoard;
  readonly turns: JobTurns;
  readonly unanswered: Unanswered;
  /** When this master began to listen. */
  readonly startedAt: Date;
  /** Milliseconds since then, by a clock that nobody sets. */
  readonly uptime: () => number;
  /** Minions that were on the line when the master before ended: they are on their way back. */
  readonly returning: Set<string>;
}
