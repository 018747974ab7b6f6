import type { Declaration } from '../../language/declaration.ts';
import { ConductorError } from '../../shared/errors.ts';
import { shortage } from '../host/file-error.ts';
import type { Host } from '../host/host.ts';
import { deadlineFor, typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { converge } from './converge.ts';
import { inTime } from './deadline.ts';
import { changingNeed, doubted } from './doubt.ts';
import { causeOf, noEffort, noteBegin } from './drift/effort.ts';
import type { Effort } from './drift/effort.ts';
import { failingCheck, guardedBy } from './guards.ts';
import type { Result, Skipped } from './outcome.ts';
import { isNotified, isPreparationNeeded } from './prerequisites.ts';
import { debtsOf } from './reactions.ts';
import { loggable } from './redaction.ts';
import { remedyFor } from './remedy.ts';
import { rememberSecretsToCome } from './drift/held.ts';
import { retrying } from './retrying.ts';
import { keepOld, noteLeft } from './old-files.ts';
import { withOldBack } from './rollback.ts';
import { judge, targetsOf } from './requisites.ts';
import { noteMade, refuseUndoing } from './undoing.ts';
import { isGuarded, refuseUnfinished } from './unfinished.ts';

/** What came of one declaration, and how often it was tried. */
export interface Turn {
  readonly result: Result;
  readonly attempts: number;
  readonly effort: Effort;
}

/** Gives a declaration its turn. */
export async function takeTurn(declaration: Declaration, context: RunContext): Promise<Turn> {
  const turn = await turnOf(declaration, context);
  if (turn.effort.change !== null && !context.dryRun)
    await noteLeft(declaration, context, context.hosts.within(context.signal));
  return turn;
}

/** The only place that turns what is thrown into an outcome. */
async function turnOf(declaration: Declaration, context: RunContext): Promise<Turn> {
  const effort = noEffort();
  const verdict = judgement(declaration, context);
  if (verdict !== null) return { result: verdict, attempts: 1, effort };
  let attempts = 0;
  try {
    const result = await inTime(deadlineFor(declaration, context), async (signal) => {
      const host = context.hosts.within(signal);
      return retrying(declaration, context, host, async (attempt) => {
        attempts = attempt;
        return attemptTurn(declaration, context, host, effort);
      });
    });
    return { result: inAll(result, effort), attempts: Math.max(1, attempts), effort };
  } catch (error) {
    const final = effort.hasReactionFailed ? await withOldBack(error, declaration, context) : error;
    const result = rejected(failure(final, declaration, context), effort);
    return { result, attempts: Math.max(1, attempts), effort };
  }
}

/** An attempt that failed may have changed all there was to change: that the last one need not is no rest. */
function inAll(result: Result, { change }: Effort): Result {
  if (result.status !== 'unchanged' || change === null || result.isFound === true) return result;
  return { status: 'changed', change, reaction: null };
}

function judgement(declaration: Declaration, context: RunContext): Result | null {
  const { standings, journal, preparedBy } = context;
  const unprepared = (preparedBy.get(declaration.key) ?? []).find(
    ({ key }) => standings.get(key)?.isBroken === true,
  );
  if (unprepared !== undefined) {
    return skipped(`"${unprepared.id}", which prepares for it, has failed`, { isBroken: true });
  }
  const owesRun = debtsOf(journal, declaration.key, ['onchanges']).length > 0;
  const verdict = judge(declaration, standings, { owesRun });
  if (verdict.go) return null;
  if (verdict.why === 'unknown') return { status: 'unknown', because: verdict.because };
  return skipped(verdict.because, { isBroken: verdict.why === 'broken' });
}

async function attemptTurn(
  declaration: Declaration,
  context: RunContext,
  host: Host,
  effort: Effort,
): Promise<Result> {
  if (!(await isPreparationNeeded(declaration, context, host))) {
    return skipped('nothing that it prepares for would change', { isBroken: false });
  }
  const stopped = await guardedBy(declaration, host);
  if (stopped !== null) {
    const awaited = context.dryRun && stopped.byCommand ? changingNeed(declaration, context) : null;
    if (awaited !== null) return unknown(`${stopped.because}, but ${awaited}`);
    refuseUnfinished(declaration, stopped, context);
    settle(declaration, context);
    return { ...skipped(stopped.because, { isBroken: false }), isGuarded: true };
  }
  if (context.dryRun)
    return doubted(await foresee(declaration, context, host, effort), declaration, context);
  return act(declaration, context, host, effort);
}

async function act(
  declaration: Declaration,
  context: RunContext,
  host: Host,
  effort: Effort,
): Promise<Result> {
  const { journal, reactions } = context;
  const debts = debtsOf(journal, declaration.key, ['watch', 'onchanges']);
  const before = new Set(journal.all());
  effort.hasReactionFailed = false;
  const result = await converge(typeOf(context, declaration), declaration.args, host, {
    dryRun: false,
    notified: isNotified(declaration, context),
    intends: (change) => void (effort.intended = change),
    sees: (want) => void (effort.seen = want),
    reactionFailed: () => void (effort.hasReactionFailed = true),
    beforeEffect: async (change) => {
      refuseUndoing(declaration, change, context);
      effort.change ??= change;
      effort.cause ??= await causeOf(declaration, { change, seen: effort.seen }, context, host);
      rememberSecretsToCome(declaration, effort.seen, context);
      noteBegin(context);
      if (isGuarded(declaration)) context.begins?.(context.redaction.redact(declaration.key));
      if (change !== null) await keepOld(declaration, context, host);
      journal.owe(reactions.by.get(declaration.key) ?? []);
    },
  });
  if (result.status === 'changed') noteMade(declaration, result.change, context);
  await check(declaration, host);
  if (result.status === 'unchanged' && result.isFound === true) {
    // Nobody owes a reaction to what did not change after all.
    journal.strike((debt) => debt.because === declaration.key && !before.has(debt));
  }
  settle(declaration, context);
  if (!('reaction' in result) || result.reaction === null) return result;
  const [earlier] = debts.filter(({ since }) => since < context.startedAt.toISOString());
  if (earlier === undefined) return result;
  return { ...result, reaction: `${result.reaction} (owed since ${earlier.since})` };
}

async function foresee(
  declaration: Declaration,
  context: RunContext,
  host: Host,
  effort: Effort,
): Promise<Result> {
  const type = typeOf(context, declaration);
  const notified = isNotified(declaration, context);
  const result = await converge(type, declaration.args, host, {
    dryRun: true,
    notified,
    intends: (change) => void (effort.intended = change),
    sees: (want) => void (effort.seen = want),
  });
  if (result.status === 'would-change')
    effort.cause = await causeOf(declaration, { ...effort, change: result.change }, context, host);
  const watched = targetsOf(declaration, ['watch', 'watch_any']);
  const unclear = watched.find((key) => context.standings.get(key)?.isUnknown === true);
  if (result.status === 'unchanged' && unclear !== undefined && type.react !== undefined) {
    const id = context.standings.get(unclear)?.id ?? unclear;
    return unknown(`nobody knows yet whether "${id}", which it watches, would change`);
  }
  if (!('reaction' in result) || result.reaction === null) return result;
  return { ...result, reaction: 'would react to what it watches' };
}

/** Commands that must succeed once the state is as it should be. */
async function check(declaration: Declaration, host: Host): Promise<void> {
  const failing = await failingCheck(declaration, host);
  if (failing === null) return;
  const message = `Cannot accept "${declaration.id}": its check_cmd "${failing.line}" fails`;
  throw new ConductorError('CHECK_FAILED', message, { output: failing.output });
}

/** What it owed is paid, or its guards say that there is nothing to pay. */
function settle({ key }: Declaration, { journal, dryRun }: RunContext): void {
  if (dryRun) return;
  journal.strike((debt) => debt.key === key && debt.kind !== 'listen');
}

/** In a dry run, what throws because states before it have not changed yet is no failure. */
function failure(error: unknown, declaration: Declaration, context: RunContext): Result {
  if (!(error instanceof ConductorError)) {
    const lack = shortage(error);
    if (lack !== null) return { status: 'failed', error: lack };
    const said = loggable(error, context.redaction);
    const key = context.redaction.redact(declaration.key);
    context.log.error({ key, error: said }, 'State threw a bug');
    return { status: 'failed', error };
  }
  const awaited =
    context.dryRun && !context.signal.aborted ? remedyFor(error, declaration, context) : null;
  if (awaited === null) return { status: 'failed', error };
  return unknown(`${awaited}; as things are: ${error.message}`);
}

/** Whoever has to find out why a check does not accept a change sees what that was. */
function rejected(result: Result, { intended }: Effort): Result {
  if (result.status !== 'failed' || intended === null) return result;
  const isRejected = result.error instanceof ConductorError && result.error.code === 'CHECK_FAILED';
  return isRejected ? { ...result, change: intended } : result;
}

function skipped(because: string, { isBroken }: { readonly isBroken: boolean }): Skipped {
  return { status: 'skipped', because, isBroken };
}

function unknown(because: string): Result {
  return { status: 'unknown', because };
}
