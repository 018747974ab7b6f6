interface At {
  readonly job: string;
  readonly minion: string;
}

/** Jobs that were sent to minions that have not said yet that they have them. In memory only, as sessions are. */
export interface Unanswered {
  sent(at: At): void;
  answered(at: At): void;
  /** The minion has gone: nobody is asked any more. */
  gone(minion: string): void;
  /** When it was sent; `null` if it is answered, or the minion still has time. */
  since(at: At): Date | null;
  /** Those whose time is over since the last call. */
  late(): readonly At[];
}

/** An agent that is well answers at once, whatever else it does. */
const PATIENCE_MS = 5_000;

interface Clocks {
  readonly now: () => Date;
  /** Milliseconds since some moment, by a clock that nobody sets. */
  readonly elapsed: () => number;
}

interface Sent extends At {
  readonly sentAt: Date;
  /** The same by a clock that nobody sets. */
  readonly from: number;
  isTold: boolean;
}

export function createUnanswered({ now, elapsed }: Clocks): Unanswered {
  const waiting = new Map<string, Sent>();
  const isLate = ({ from }: Sent): boolean => elapsed() - from >= PATIENCE_MS;
  return {
    sent: (at) =>
      void waiting.set(key(at), { ...at, sentAt: now(), from: elapsed(), isTold: false }),
    answered: (at) => void waiting.delete(key(at)),
    gone(minion) {
      for (const [name, at] of waiting) if (at.minion === minion) waiting.delete(name);
    },
    since(at) {
      const found = waiting.get(key(at));
      return found !== undefined && isLate(found) ? found.sentAt : null;
    },
    late() {
      const found = [...waiting.values()].filter((one) => !one.isTold && isLate(one));
      for (const one of found) one.isTold = true;
      return found;
    },
  };
}

function key({ job, minion }: At): string {
  return `${job} ${minion}`;
}
