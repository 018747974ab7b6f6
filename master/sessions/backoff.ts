import { globMatcher } from '../../language/values/glob.ts';
import { REFUSED_RETRY_SECONDS } from '../../protocol/verdict.ts';

/** Remembers who has been denied, so that guessing is slow: an address and the id that it wanted. */
export interface Backoff {
  isWaiting(address: string, id: string): boolean;
  start(address: string, id: string): void;
  /** An operator has changed what is known of an id, or of all that a glob fits: all may try again. */
  forgive(ids: string): void;
}

const ENTRIES = 10_000;

export function createBackoff(now: () => number): Backoff {
  const until = new Map<string, { at: number; id: string }>();
  return {
    isWaiting: (address, id) => (until.get(`${address} ${id}`)?.at ?? 0) > now(),
    start(address, id) {
      const key = `${address} ${id}`;
      until.delete(key);
      until.set(key, { at: now() + REFUSED_RETRY_SECONDS * 1000, id });
      const [oldest] = until.keys();
      if (until.size > ENTRIES && oldest !== undefined) until.delete(oldest);
    },
    forgive(ids) {
      const fits = globMatcher(ids);
      for (const [key, { id }] of until) if (fits(id)) until.delete(key);
    },
  };
}
