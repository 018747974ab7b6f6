import { setTimeout as after } from 'node:timers/promises';

/** Keeps what is asked for again and again from taking all of the time. */
export interface Pace {
  /** Does it once those before it have been rested from. */
  take<T>(look: () => Promise<T>): Promise<T>;
}

/** In milliseconds. */
interface Time {
  readonly elapsed: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

/** So many times as long as a look took, there is other work. */
const OTHER_WORK = 4;
const LONGEST_REST_MS = 250;

export function createPace(
  elapsed: Time['elapsed'],
  sleep: Time['sleep'] = (milliseconds) => after(milliseconds),
): Pace {
  let notBefore = 0;
  return {
    async take(look) {
      const left = notBefore - elapsed();
      if (left > 0) await sleep(left);
      const begun = elapsed();
      try {
        return await look();
      } finally {
        const ended = elapsed();
        notBefore = ended + Math.min(LONGEST_REST_MS, OTHER_WORK * (ended - begun));
      }
    },
  };
}
