import type { Declaration } from '../../language/declaration.ts';
import type { Host } from '../host/host.ts';
import { typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { compare } from './converge.ts';
import { guardedBy } from './guards.ts';
import { debtsOf } from './reactions.ts';
import { loggable } from './redaction.ts';
import { targetsOf } from './requisites.ts';

/**
 * Whether one of the declarations that this one prepares for (`prereq`) is about to change. What
 * cannot be foreseen counts as a change: being prepared for nothing does less harm than the
 * reverse.
 */
export async function isPreparationNeeded(
  declaration: Declaration,
  context: RunContext,
  host: Host,
): Promise<boolean> {
  const targets = targetsOf(declaration, ['prereq']);
  for (const key of targets) {
    const target = context.byKey.get(key);
    if (target !== undefined && (await isAboutToChange(target, context, host))) return true;
  }
  return targets.length === 0;
}

async function isAboutToChange(
  target: Declaration,
  context: RunContext,
  host: Host,
): Promise<boolean> {
  if (isOutOfPlay(target, context)) return false;
  try {
    if ((await guardedBy(target, host)) !== null) return false;
    const type = typeOf(context, target);
    if (type.react !== undefined && isNotified(target, context)) return true;
    return (await compare(type, target.args, host)) !== null;
  } catch (error) {
    if (context.signal.aborted) throw error;
    const said = loggable(error, context.redaction);
    const id = context.redaction.redact(target.id);
    context.log.debug({ id, error: said }, 'Change not foreseeable');
    return true;
  }
}

/** It will not run: something that it needs has failed already, or nothing that it awaits changed. */
function isOutOfPlay(target: Declaration, { standings, journal }: RunContext): boolean {
  const needs = targetsOf(target, ['require', 'watch', 'onchanges']);
  if (needs.some((key) => standings.get(key)?.isBroken === true)) return true;
  const awaited = targetsOf(target, ['onchanges', 'onchanges_any']);
  if (awaited.length === 0 || debtsOf(journal, target.key, ['onchanges']).length > 0) return false;
  return awaited.every((key) => standings.get(key)?.hasChanged === false);
}

/** Something that it watches has changed, in this run or in one that did not get to react. */
export function isNotified(declaration: Declaration, context: RunContext): boolean {
  const { journal, dryRun, standings } = context;
  if (debtsOf(journal, declaration.key, ['watch']).length > 0) return true;
  const watched = targetsOf(declaration, ['watch', 'watch_any']);
  return dryRun && watched.some((key) => standings.get(key)?.hasChanged === true);
}
