import type { Logger } from '../../shared/log.ts';
import type { Presence } from '../sessions/presence.ts';
import type { Store } from '../store/store.ts';
import type { ProgressBoard } from './progress.ts';
import type { TargetBoard } from './target-board.ts';

export interface JobParts {
  readonly store: Store;
  readonly presence: Presence;
  readonly log: Logger;
  readonly now: () => Date;
}

/** What the functions of this folder share. */
export interface JobContext extends JobParts {
  readonly board: TargetBoard;
  readonly progress: ProgressBoard;
  /** Jobs whose end was asked for while a target was away. */
  readonly cancelled: Set<string>;
}
