/**
 * Reports for which the master has ended sessions. It does not say whether it could not bear the report or had trouble
 * of its own, so none is given up soon; but others go first.
 */
export interface Untaken {
  isPutOff(job: string): boolean;
  /** A session has ended for it. Whether there is no hope any more: for days it was not taken, and others were. */
  refused(job: string): boolean;
  /** The master has it. */
  taken(job: string): void;
  /** It is not sent again. */
  forget(job: string): void;
}

/** So often it is sent again at once. */
const MOST_REFUSALS = 5;
const PUT_OFF_MS = 3_600_000;
const HOPE_MS = 3 * 86_400_000;

interface Refusals {
  readonly since: number;
  readonly times: number;
  readonly putOffUntil: number;
}

export function createUntaken(elapsed: () => number): Untaken {
  const known = new Map<string, Refusals>();
  let lastTakenAt = -Infinity;
  return {
    isPutOff: (job) => (known.get(job)?.putOffUntil ?? -Infinity) > elapsed(),
    refused: (job) => {
      const now = elapsed();
      const { since, times } = known.get(job) ?? { since: now, times: 0 };
      const putOffUntil = times + 1 >= MOST_REFUSALS ? now + PUT_OFF_MS : -Infinity;
      known.set(job, { since, times: times + 1, putOffUntil });
      return now - since >= HOPE_MS && lastTakenAt > since;
    },
    taken: (job) => {
      lastTakenAt = elapsed();
      known.delete(job);
    },
    forget: (job) => void known.delete(job),
  };
}
