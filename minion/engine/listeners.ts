import type { Declaration } from '../../language/declaration.ts';
import type { Origin, Outcome } from '../../protocol/report.ts';
import { deadlineFor, typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { reactAndVerify } from './converge.ts';
import { inTime } from './deadline.ts';
import { originOf } from './drift/origin.ts';
import { errorOf, redactedOrigin } from './outcome.ts';
import { debtsOf } from './reactions.ts';
import { loggable } from './redaction.ts';
import { targetsOf } from './requisites.ts';
import { withOldBack } from './rollback.ts';

/**
 * Pays at the end of a run what `listen` owes: one reaction for each declaration, whatever number
 * of states it listens to have changed. Its outcome tells of both, and is told anew.
 */
export async function payListeners(context: RunContext): Promise<void> {
  for (const [index, declaration] of context.catalog.declarations.entries()) {
    if (!isDue(declaration, context)) continue;
    const before = context.outcomes.get(declaration.key);
    if (before === undefined) continue;
    const outcome = context.dryRun
      ? foreseen(declaration, before, context)
      : await pay(declaration, before, context);
    context.outcomes.set(declaration.key, outcome);
    const total = context.catalog.declarations.length;
    context.emit({ event: 'outcome', number: index + 1, total, outcome });
  }
}

/** Not while it, or something whose change it would react to, is broken: then it stays owed. */
function isDue(declaration: Declaration, context: RunContext): boolean {
  const { journal, dryRun, standings, signal } = context;
  const isBroken = (key: string): boolean => standings.get(key)?.isBroken === true;
  if (signal.aborted || isBroken(declaration.key)) return false;
  const debts = debtsOf(journal, declaration.key, ['listen']);
  if (debts.length > 0) return !debts.some(({ because }) => isBroken(because));
  const heard = targetsOf(declaration, ['listen']).flatMap((key) => standings.get(key) ?? []);
  return (
    dryRun &&
    typeOf(context, declaration).react !== undefined &&
    heard.some(({ hasChanged, isUnknown }) => hasChanged || isUnknown)
  );
}

async function pay(
  declaration: Declaration,
  before: Outcome,
  context: RunContext,
): Promise<Outcome> {
  const { journal, hosts, redaction, log } = context;
  const type = typeOf(context, declaration);
  const origin = before.origin ?? following(declaration, context);
  const strike = (): void => {
    journal.strike(({ key, kind }) => key === declaration.key && kind === 'listen');
  };
  try {
    if (before.status === 'skipped') {
      strike();
      return before;
    }
    const reaction = await inTime(deadlineFor(declaration, context), async (signal) =>
      reactAndVerify(type, declaration.args, hosts.within(signal)),
    );
    strike();
    if (reaction === null) return before;
    log.info({ id: before.id, type: type.name }, 'State reacted');
    const told = also(before, redaction.redact(reaction));
    return { ...before, status: 'changed', origin, reaction: told };
  } catch (first) {
    const error = await withOldBack(first, declaration, context);
    const said = loggable(error, redaction);
    log.warn({ id: before.id, type: type.name, error: said }, 'Reaction failed');
    return { ...before, status: 'failed', error: errorOf(error, redaction.redact) };
  }
}

function foreseen(declaration: Declaration, before: Outcome, context: RunContext): Outcome {
  if (before.status === 'skipped' || before.status === 'unknown') return before;
  const unclear = unclearOnly(declaration, context);
  if (unclear !== null && before.status === 'unchanged') {
    const because = `nobody knows yet whether "${unclear}", which it listens to, would change`;
    return { ...before, status: 'unknown', because: context.redaction.redact(because) };
  }
  if (unclear !== null) return before;
  const reaction = also(before, 'would react to what it listens to');
  const origin = before.origin ?? following(declaration, context);
  return { ...before, status: 'would-change', origin, reaction };
}

function following(declaration: Declaration, context: RunContext): Origin {
  const changing = { declaration, change: null, seen: undefined, touchedMs: null };
  return redactedOrigin(originOf(changing, context), context.redaction.redact);
}

/** One that may change, where none of all that it listens to is known to; nor does it owe anything. */
function unclearOnly(declaration: Declaration, { standings, journal }: RunContext): string | null {
  if (debtsOf(journal, declaration.key, ['listen']).length > 0) return null;
  const heard = targetsOf(declaration, ['listen']).flatMap((key) => standings.get(key) ?? []);
  if (heard.some(({ hasChanged }) => hasChanged)) return null;
  return heard.find(({ isUnknown }) => isUnknown)?.id ?? null;
}

function also({ reaction }: Outcome, more: string): string {
  return reaction === undefined ? more : `${reaction}; ${more}`;
}
