import type { Declaration } from '../../../language/declaration.ts';
import type { Origin } from '../../../protocol/report.ts';
import type { Change } from '../../../shared/change.ts';
import { partsOfKey } from '../../../shared/declaration-key.ts';
import { typeOf } from '../context.ts';
import type { RunContext } from '../context.ts';
import { targetsOf } from '../requisites.ts';
import type { Standing } from '../requisites.ts';
import type { StateType } from '../state-type.ts';
import { absence, wishOf } from './wish.ts';
import type { Seen } from './wish.ts';
import type { Remembered } from './wanted.ts';

/** What changes, or would: why is to be told. */
export interface Changing {
  readonly declaration: Declaration;
  /** `null` if it only reacts. */
  readonly change: Change | null;
  readonly seen: Seen;
  /** When the host's own clock says that the thing was last touched, in milliseconds; `null` if it has none. */
  readonly touchedMs: number | null;
}

/**
 * Why something changes. Drift is only said where the tree and what it refers to ask for nothing new
 * since the last time that all was well, no run has broken off in between, and nothing else that
 * changed in this run could have done it.
 */
export function originOf(changing: Changing, context: RunContext): Origin {
  const { declaration, change } = changing;
  const remembered = context.memory.wanted.recall(declaration.key);
  const answering =
    change === null ? caller(declaration, context) : calledFor(declaration, context);
  if (answering !== null) return follows(answering);
  if (remembered.status === 'new') return INTENDED;
  if (remembered.status === 'lost') return unknown('what was wanted before is not remembered');
  return ofKnown(changing, remembered.memo, context);
}

type Memo = Extract<Remembered, { status: 'known' }>['memo'];

const INTENDED: Origin = { kind: 'intended' };

function ofKnown(changing: Changing, memo: Memo, context: RunContext): Origin {
  const { declaration } = changing;
  if (isAskedAnew(changing, memo, context)) return INTENDED;
  const changed = changedBefore(declaration, context);
  const { isDerived = false } = typeOf(context, declaration);
  if (isDerived && changed !== null) return follows(changed);
  const doubt = doubtAbout(changing, memo, context);
  if (doubt !== null) return unknown(doubt);
  const { times, since } = context.memory.wanted.movedAgain(declaration.key);
  return { kind: 'drift', times, since };
}

/** Why the host may have been changed by a run, this one or an earlier one; `null` if it was not. */
function doubtAbout(
  { declaration, touchedMs }: Changing,
  memo: Memo,
  context: RunContext,
): string | null {
  if (context.memory.wanted.wasCutShort) return 'the run before this one broke off';
  if (memo.isUnsettled === true)
    return 'an earlier run did not finish what it, or what it refers to, had begun';
  const isOlder = touchedMs !== null && touchedMs < context.startedAt.getTime() - CLOCK_MS;
  const suspect = changedBefore(declaration, context) ?? context.unforeseen.by;
  if (suspect !== null && !isOlder) return `"${suspect}" changed before it in this run`;
  return touchedDuringRun(touchedMs, context);
}

/** Clocks of file systems go in steps, and may lag behind the system's. */
const CLOCK_MS = 1000;

/** A file that a run touched itself: states of the tree may want different things of it. */
function touchedDuringRun(
  touchedMs: number | null,
  { startedAt, memory }: RunContext,
): string | null {
  if (touchedMs === null) return null;
  const which = touchedMs >= startedAt.getTime() ? 'this run' : 'the last one';
  if (which === 'the last one' && !memory.wanted.wasActiveAt(touchedMs)) return null;
  return `it was touched while ${which} was under way: another state may want something else of it`;
}

/** The tree asks for something else than last time, or what it refers to does (a branch, a repository). */
function isAskedAnew(
  { declaration, change, seen }: Changing,
  memo: Memo,
  context: RunContext,
): boolean {
  const { wanted } = context.memory;
  const type = typeOf(context, declaration);
  const wish = wishOf(declaration, seen, wanted);
  if (wish.asked !== memo.asked || asksEveryTime(type, declaration)) return true;
  if (type.isRelative === true || memo.wanted === null) return false;
  // What was there last time and no longer is has not gone because of a wish for something else.
  const isGone = change?.action === 'create' && memo.wanted !== absence(wanted);
  return !isGone && wish.wanted !== memo.wanted;
}

/** A command without a condition: the tree asks for it in every run. */
function asksEveryTime(type: StateType, { guards }: Declaration): boolean {
  const { unless, onlyif, creates } = guards;
  return type.oneShot === true && unless.length + onlyif.length + creates.length === 0;
}

/** Whose change a reaction answers. */
function caller(declaration: Declaration, context: RunContext): string {
  const { journal } = context;
  const owed = journal.all().find(({ key }) => key === declaration.key);
  const changed = targetsOf(declaration, ['watch', 'watch_any', 'listen']).find(
    (key) => context.standings.get(key)?.hasChanged === true,
  );
  return idOf(owed?.because ?? changed ?? '', context);
}

/** Also of one that this run does not have: it may be of another state file, or gone from the tree. */
function idOf(key: string, { byKey }: RunContext): string {
  return byKey.get(key)?.id ?? (partsOfKey(key).id || key);
}

/** What asks for a state that is only there for it: a change, a failure, or a preparation. */
function calledFor(declaration: Declaration, context: RunContext): string | null {
  const [key] = targetsOf(declaration, [
    'onchanges',
    'onchanges_any',
    'onfail',
    'onfail_any',
    'onfail_all',
    'prereq',
  ]);
  return key === undefined ? null : idOf(key, context);
}

/** One of those that it refers to that changed in this run, or may have, not only to take drift back. */
function changedBefore(declaration: Declaration, context: RunContext): string | null {
  const { standings } = context;
  const type = typeOf(context, declaration);
  const found = declaration.requisites
    .flatMap(({ targets }) => targets)
    .flatMap((key) => standings.get(key) ?? [])
    .find((standing) => mayHaveCaused(standing, type));
  return found?.id ?? null;
}

function mayHaveCaused({ origin, isUnknown }: Standing, type: StateType): boolean {
  if (origin === null) return isUnknown;
  return origin !== 'drift' || type.isDerived === true;
}

function follows(id: string): Origin {
  return { kind: 'follows', because: `"${id}" changed` };
}

function unknown(because: string): Origin {
  return { kind: 'unknown', because };
}
