import type { Declaration } from '../../../language/declaration.ts';
import type { Change } from '../../../shared/change.ts';
import type { HostView } from '../../host/host.ts';
import { typeOf } from '../context.ts';
import type { RunContext } from '../context.ts';
import type { Cause, Result } from '../outcome.ts';
import { loggable } from '../redaction.ts';
import { beforeOf, foundFor } from './before.ts';
import { originOf } from './origin.ts';
import { rememberSecrets } from './held.ts';
import { wishOf } from './wish.ts';
import type { Seen } from './wish.ts';

/** What has been seen and begun in any of the attempts of one turn. */
export interface Effort {
  seen: Seen;
  change: Change | null;
  /** What was to be changed last, whether or not anybody has begun with it. */
  intended: Change | null;
  cause: Cause | null;
  /** In the attempt that failed: what it watches was there, and it did not come up on that. */
  hasReactionFailed: boolean;
}

/** Of a turn that has just begun. */
export function noEffort(): Effort {
  return { seen: undefined, change: null, intended: null, cause: null, hasReactionFailed: false };
}

/** Finds out why something is about to change: before it does, for then it is too late to look. */
export async function causeOf(
  declaration: Declaration,
  { change, seen }: Pick<Effort, 'change' | 'seen'>,
  context: RunContext,
  host: HostView,
): Promise<Cause> {
  const found = change === null ? null : await foundFor(declaration, context, host);
  const touchedMs = found?.status.ctimeMs ?? null;
  const origin = originOf({ declaration, change, seen, touchedMs }, context);
  if (isNewCommand({ declaration, seen }, context)) context.unforeseen.by = declaration.id;
  const isAsked = origin.kind === 'intended' || origin.kind === 'follows';
  if (isAsked || found === null || change === null) return { origin, before: null };
  const before = await beforeOf({ declaration, change, seen, found }, context, host);
  return { origin, before };
}

/** A command of the tree's author that has not run yet as it is now. */
function isNewCommand(
  { declaration, seen }: { readonly declaration: Declaration; readonly seen: Seen },
  context: RunContext,
): boolean {
  const { wanted } = context.memory;
  if (typeOf(context, declaration).oneShot !== true) return false;
  const remembered = wanted.recall(declaration.key);
  if (remembered.status !== 'known') return true;
  return remembered.memo.asked !== wishOf(declaration, seen, wanted).asked;
}

/** Notes before the first effect that a run is under way, so that a later one knows if it died. */
export function noteBegin({ memory, log, redaction }: RunContext): void {
  tolerating({ log, redaction }, () => memory.wanted.begin());
}

/** Notes what a later run is to know. */
export function noteEnd({ memory, isWhole, byKey, log, redaction }: RunContext): void {
  tolerating({ log, redaction }, () => memory.wanted.end({ keys: byKey.keys(), isWhole }));
}

/** What is remembered serves reports only: that it cannot be written down is no failure of the run. */
function tolerating(
  { log, redaction }: Pick<RunContext, 'log' | 'redaction'>,
  write: () => void,
): void {
  try {
    write();
  } catch (error) {
    log.error({ error: loggable(error, redaction) }, 'What was wanted could not be written down');
  }
}

/** Notes at the end of a turn what came of it, for later runs. */
export function remember(
  declaration: Declaration,
  result: Result,
  { seen, cause }: Effort,
  context: RunContext,
): void {
  const { key } = declaration;
  const { wanted } = context.memory;
  if (context.dryRun) return;
  if (isGood(result)) {
    const { origin } = cause ?? {};
    if (result.status === 'changed' && origin?.kind === 'drift')
      wanted.countMove(key, { times: origin.times, since: origin.since });
    rememberSecrets(declaration, seen, context);
    wanted.settle(key, wishOf(declaration, seen, wanted));
  } else if (isBad(result) && leavesTraces(declaration, cause, context)) wanted.unsettle(key);
}

function isGood(result: Result): boolean {
  if (result.status === 'skipped') return result.isGuarded === true;
  return result.status === 'unchanged' || result.status === 'changed';
}

function isBad(result: Result): boolean {
  return result.status === 'failed' || (result.status === 'skipped' && result.isBroken);
}

/** Whether a later change of it may come of what this run has asked for and not finished. */
function leavesTraces(
  { requisites }: Declaration,
  cause: Cause | null,
  { standings }: RunContext,
): boolean {
  if (cause !== null) return cause.origin.kind !== 'drift';
  return requisites
    .flatMap(({ targets }) => targets)
    .some((target) => (standings.get(target)?.origin ?? 'drift') !== 'drift');
}
