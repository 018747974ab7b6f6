import type { Pause } from '../../protocol/pause.ts';

/** What a minion does by itself, as it last said, and what it has yet to be told. */
export interface Intention {
  /** Who says when it refreshes; `null` if it has never said. */
  readonly scheduleSource: string | null;
  readonly pause: Pause | null;
  readonly owed: OwedPause | null;
}

/** What an operator has asked for and the minion has not confirmed. */
export type OwedPause =
  | ({ readonly kind: 'pause' } & Pick<Pause, 'since' | 'until' | 'why'>)
  | { readonly kind: 'resume' };

export interface IntentionStore {
  /** `null` if nothing is known. */
  get(minion: string): Promise<Intention | null>;
  all(): Promise<ReadonlyMap<string, Intention>>;
  /** What is not given stays. */
  note(minion: string, change: Partial<Intention>): Promise<void>;
  /** Nothing is owed any more, if it is still this: `false` if something else is by now. */
  settle(minion: string, owed: OwedPause): Promise<boolean>;
}
