import { setTimeout as wait } from 'node:timers/promises';

/** A sleep that can be ended before its time. */
export interface Alarm {
  /** Ends early when it rings, when it has rung just before, or when the agent is to stop. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly ring: () => void;
}

/** Who rings because a session has ended may be quicker than the news of that end. */
const ECHO_MS = 5_000;

export function createAlarm(signal: AbortSignal): Alarm {
  let ringing = new AbortController();
  let rangAt = -Infinity;
  return {
    sleep: async (milliseconds) => {
      const hasRung = performance.now() - rangAt < ECHO_MS;
      rangAt = -Infinity;
      if (hasRung) return;
      ringing = new AbortController();
      const awake = AbortSignal.any([signal, ringing.signal]);
      try {
        await wait(milliseconds, undefined, { signal: awake });
      } catch (error) {
        if (!awake.aborted) throw error;
        rangAt = -Infinity;
      }
    },
    ring: () => {
      rangAt = performance.now();
      ringing.abort();
    },
  };
}
