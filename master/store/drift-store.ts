/** A state that a host has moved away from: what its minion's reports say. */
export interface DriftedState {
  readonly minion: string;
  readonly key: string;
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly place: string;
  readonly times: number;
  readonly since: string;
  readonly lastAt: string;
  /** The run that took it back last. */
  readonly job: string;
}

/** Written with the reports, and forgotten at their age. */
export interface DriftStore {
  /** What has drifted since then, the latest first. */
  list(asked: { since: string }): Promise<readonly DriftedState[]>;
  /** How many states of each minion. */
  counts(asked: { since: string }): Promise<ReadonlyMap<string, number>>;
}
