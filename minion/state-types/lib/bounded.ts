import { ConductorError } from '../../../shared/errors.ts';
import { within } from '../../../shared/within.ts';

const LIMIT_MS = 10_000;

/** Does what a pattern of the tree's author may make last for ever. Throws STATE_REFUSED, with what cannot be done, if it takes too long. */
export function bounded<T>(what: string, act: () => T, limitMs = LIMIT_MS): T {
  const done = within(limitMs, act);
  if (done !== null) return done.made;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot ${what}: matching its pattern takes longer than ${limitMs / 1000} s (nested repetitions such as (a+)+ do that)`,
    { lacks: [] },
  );
}
