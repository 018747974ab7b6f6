import type { Declaration } from '../../language/declaration.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { RunContext } from './context.ts';
import type { Stopped } from './guards.ts';

/** Whether something that looks at the host may say that there is nothing to do. */
export function isGuarded({ guards: { unless, onlyif, creates } }: Declaration): boolean {
  return [unless, onlyif, creates].some((guard) => guard.length > 0);
}

/** What a guard looks at may be all that there is of something that was cut short. */
export function refuseUnfinished(
  { key, id }: Declaration,
  { because }: Stopped,
  { unfinished, redaction }: RunContext,
): void {
  const since = unfinished?.get(redaction.redact(key));
  if (since === undefined) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot tell whether "${id}" is whole: it was begun at ${since} and killed before its end, and would not be run ` +
      `again (${because}); look at what it has left, and take that away to have it run again`,
    { lacks: [] },
  );
}
