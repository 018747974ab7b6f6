import type { Declaration } from '../../language/declaration.ts';
import type { Outcome } from '../../protocol/report.ts';
import { messageOf } from '../../shared/errors.ts';
import { typeOf } from './context.ts';
import type { RunContext, RunOptions } from './context.ts';
import { Abandoned } from './deadline.ts';
import { noEffort, noteEnd, remember } from './drift/effort.ts';
import { mayHoldFormerSecret } from './drift/held.ts';
import type { Effort } from './drift/effort.ts';
import { payListeners } from './listeners.ts';
import { forgetUnneeded, takeOverOldFiles } from './old-files.ts';
import { outcomeOf } from './outcome.ts';
import type { Cause, Result } from './outcome.ts';
import { createSecretNames } from './redaction.ts';
import { reactionsIn, takeStock } from './reactions.ts';
import { targetsOf } from './requisites.ts';
import type { Standing } from './requisites.ts';
import { takeTurn } from './turn.ts';

/** Of all diffs of a run together. */
const DIFF_CHARACTERS = 4 * 1024 * 1024;

/**
 * Brings a whole catalog about, one declaration after the other, and answers with one outcome for
 * each, in the catalog's order. Throws only if the journal of owed reactions cannot be kept.
 */
export async function runCatalog(options: RunOptions): Promise<readonly Outcome[]> {
  const context = begin(options);
  const { catalog, journal, log, redaction } = context;
  for (const debt of takeStock(journal, context.reactions, catalog.declarations, context)) {
    const key = redaction.redact(debt.key);
    log.warn({ key, since: debt.since }, 'Owed reaction dropped: its state is gone');
  }

  takeOverOldFiles(context);

  let ended: string | null = null;
  for (const [index, declaration] of catalog.declarations.entries()) {
    ended ??= context.signal.aborted ? endedBy(context.signal) : null;
    const turn = { declaration, number: index + 1 };
    if (ended === null) ended = await runOne(turn, context);
    else conclude(turn, passOver(ended), context);
  }
  if (ended === null) await payListeners(context);
  noteEnd(context);
  forgetUnneeded(context);
  return catalog.declarations.flatMap(({ key }) => context.outcomes.get(key) ?? []);
}

function begin(options: RunOptions): RunContext {
  const { declarations } = options.catalog;
  const preparations = declarations.flatMap((declaration) =>
    targetsOf(declaration, ['prereq']).map((key) => ({ key, declaration })),
  );
  const preparedBy = new Map<string, Declaration[]>();
  for (const { key, declaration } of preparations) {
    preparedBy.set(key, [...(preparedBy.get(key) ?? []), declaration]);
  }
  return {
    ...options,
    reactions: reactionsIn(declarations, options.types, options),
    startedAt: new Date(),
    preparedBy,
    byKey: new Map(declarations.map((declaration) => [declaration.key, declaration])),
    standings: new Map(),
    outcomes: new Map(),
    secretNames: createSecretNames(),
    unforeseen: { by: null },
    kept: new Map(),
    made: new Map(),
    diffs: { charactersLeft: DIFF_CHARACTERS },
  };
}

interface NumberedTurn {
  readonly declaration: Declaration;
  readonly number: number;
}

/** Says why the run must end with this declaration; `null` if it goes on. */
async function runOne(turn: NumberedTurn, context: RunContext): Promise<string | null> {
  const { declaration, number } = turn;
  const { emit, redaction, signal, catalog } = context;
  const total = catalog.declarations.length;
  const { id, type } = declaration;
  emit({ event: 'started', number, total, id: redaction.redact(id), type });

  const startedAt = new Date();
  const begun = performance.now();
  const { result, attempts, effort } = await takeTurn(declaration, context);
  const timing = { startedAt, milliseconds: performance.now() - begun, attempts };
  conclude(turn, { result, timing, effort }, context);

  if (result.status !== 'failed') return null;
  if (signal.aborted) return endedBy(signal);
  if (result.error instanceof Abandoned) return `"${id}" could not be ended`;
  return declaration.failhard ? `"${id}" failed (failhard)` : null;
}

type Concluded = {
  readonly result: Result;
  readonly timing: Parameters<typeof outcomeOf>[3]['timing'];
  readonly effort: Effort;
};

function conclude(
  { declaration, number }: NumberedTurn,
  concluded: Concluded,
  context: RunContext,
) {
  const { standings, outcomes, emit, redaction, secretNames, log, catalog } = context;
  const { result, timing, effort } = concluded;
  const { cause } = effort;
  const type = typeOf(context, declaration);
  const outcome = withinBudget(
    outcomeOf(declaration, type, result, {
      cause,
      timing,
      redaction,
      secretNames,
      hidesBefore: mayHoldFormerSecret(declaration, context),
    }),
    context.diffs,
  );
  remember(declaration, result, effort, context);
  standings.set(declaration.key, standingOf(declaration, result, cause));
  outcomes.set(declaration.key, outcome);
  emit({ event: 'outcome', number, total: catalog.declarations.length, outcome });
  const { id, status, milliseconds, error } = outcome;
  if (status === 'changed') log.info({ id, type: type.name, milliseconds }, 'State changed');
  if (status === 'failed') log.warn({ id, type: type.name, error }, 'State failed');
}

/** A report stays of a size that can be sent, whatever number of files differ. */
function withinBudget(outcome: Outcome, diffs: { charactersLeft: number }): Outcome {
  const { diff } = outcome;
  if (diff === undefined) return outcome;
  if (diff.length > diffs.charactersLeft) {
    return { ...outcome, diff: 'not shown: this report holds too many differences already' };
  }
  // oxlint-disable-next-line no-param-reassign -- it is what is left of the run's budget
  diffs.charactersLeft -= diff.length;
  return outcome;
}

function standingOf({ id }: Declaration, result: Result, cause: Cause | null): Standing {
  return {
    id,
    origin: result.status === 'unchanged' ? null : (cause?.origin.kind ?? null),
    isBroken: result.status === 'failed' || (result.status === 'skipped' && result.isBroken),
    hasChanged: result.status === 'changed' || result.status === 'would-change',
    isUnknown: result.status === 'unknown',
  };
}

function passOver(because: string): Concluded {
  return {
    result: {
      status: 'skipped',
      because: `the run has ended: ${because}`,
      isBroken: true,
      isOver: true,
    },
    timing: { startedAt: new Date(), milliseconds: 0, attempts: 1 },
    effort: noEffort(),
  };
}

function endedBy(signal: AbortSignal): string {
  return messageOf(signal.reason);
}
