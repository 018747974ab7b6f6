import type { Declaration, RequisiteKind } from '../../language/declaration.ts';
import type { Origin } from '../../protocol/report.ts';

/** What those that refer to a declaration need to know about it once its turn is over. */
export interface Standing {
  readonly id: string;
  /** It failed, or was not run because something that it needs failed. */
  readonly isBroken: boolean;
  /** It changed, or in a dry run would. */
  readonly hasChanged: boolean;
  /** A dry run cannot say. */
  readonly isUnknown: boolean;
  /** Why it changed, or began to; `null` if it did not. */
  readonly origin: Origin['kind'] | null;
}

/** By key, of the declarations whose turn is over. */
export type Standings = ReadonlyMap<string, Standing>;

/** Whether a declaration's turn comes to anything. */
export type Verdict =
  | { readonly go: true }
  | {
      readonly go: false;
      /** `broken`: something that it needs has failed; `idle`: nothing asks for it. */
      readonly why: 'broken' | 'idle' | 'unknown';
      readonly because: string;
    };

const GO: Verdict = { go: true };

const NEEDS_ALL: readonly RequisiteKind[] = ['require', 'watch', 'onchanges'];
const NEEDS_ANY: readonly RequisiteKind[] = ['require_any', 'watch_any', 'onchanges_any'];

/**
 * Judges a declaration by those that it refers to, in Salt's order: what it needs, then `onfail`,
 * then `onchanges`. `owesRun`: an earlier run saw an `onchanges` target change and did not get to
 * it. (`prereq` looks ahead and is `prerequisites.ts`.)
 */
export function judge(
  declaration: Declaration,
  standings: Standings,
  { owesRun }: { readonly owesRun: boolean },
): Verdict {
  return (
    missingNeed(declaration, standings) ??
    quietFailure(declaration, standings) ??
    quietChange(declaration, standings, owesRun) ??
    GO
  );
}

function missingNeed(declaration: Declaration, standings: Standings): Verdict | null {
  for (const { kind, targets } of declaration.requisites) {
    const broken = targets.filter((key) => standings.get(key)?.isBroken ?? true);
    const fails =
      (NEEDS_ALL.includes(kind) && broken.length > 0) ||
      (NEEDS_ANY.includes(kind) && broken.length === targets.length);
    if (fails)
      return stop('broken', `${names(broken, standings)}, which it needs, ${have(broken)} failed`);
  }
  return null;
}

/** `onfail` and `onfail_any` want one failure of all that they name, `onfail_all` wants each. */
function quietFailure(declaration: Declaration, standings: Standings): Verdict | null {
  const isBroken = (key: string): boolean => standings.get(key)?.isBroken ?? false;
  const any = targetsOf(declaration, ['onfail', 'onfail_any']);
  const all = targetsOf(declaration, ['onfail_all']);
  if (any.length === 0 && all.length === 0) return null;
  if (any.some(isBroken) || (all.length > 0 && all.every(isBroken))) return null;
  const named = [...any, ...all];
  return stop('idle', `${names(named, standings)} ${have(named)} not failed`);
}

function quietChange(
  declaration: Declaration,
  standings: Standings,
  owesRun: boolean,
): Verdict | null {
  const targets = targetsOf(declaration, ['onchanges', 'onchanges_any']);
  if (targets.length === 0 || owesRun) return null;
  if (targets.some((key) => standings.get(key)?.hasChanged === true)) return null;
  const unknown = targets.filter((key) => standings.get(key)?.isUnknown === true);
  if (unknown.length > 0) {
    return stop('unknown', `nobody knows yet whether ${names(unknown, standings)} would change`);
  }
  return stop('idle', `${names(targets, standings)} ${have(targets)} not changed`);
}

/** Keys that a declaration names in requisites of these kinds. */
export function targetsOf(
  { requisites }: Declaration,
  kinds: readonly RequisiteKind[],
): readonly string[] {
  return requisites.filter(({ kind }) => kinds.includes(kind)).flatMap(({ targets }) => targets);
}

function stop(why: 'broken' | 'idle' | 'unknown', because: string): Verdict {
  return { go: false, why, because };
}

function have({ length }: readonly string[]): string {
  return length === 1 ? 'has' : 'have';
}

function names(keys: readonly string[], standings: Standings): string {
  const [first = '', ...others] = keys.map((key) => `"${standings.get(key)?.id ?? key}"`);
  return others.length > 2
    ? `${first} and ${others.length} others`
    : [first, ...others].join(' and ');
}
