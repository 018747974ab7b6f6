import type { DataMapping } from '../../language/values/data.ts';
import { globMatcher } from '../../language/values/glob.ts';
import { matches, parseTarget, type Candidate, type Target } from '../../language/target.ts';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';

/** An accepted minion; its pillar is compiled only for targets that ask for it. */
export interface Known extends Omit<Candidate, 'pillar'> {
  readonly pillar: () => DataMapping;
}

/**
 * The ids that a target means, sorted. Throws TARGET_INVALID for what cannot be read and for names
 * that nothing has, TARGET_EMPTY for a glob, or a whole expression, that fits no accepted minion.
 */
export function resolveTarget(text: string, known: readonly Known[]): readonly string[] {
  const target = parseTarget(text);
  refuseUnknown(text, unknownNames(target, known), known);
  const asksForPillar = mentionsPillar(target);
  const ids = known
    .filter((minion) =>
      matches(target, { ...minion, pillar: asksForPillar ? minion.pillar() : undefined }),
    )
    .map(({ id }) => id)
    .toSorted();
  if (ids.length > 0) return ids;
  const message = `Cannot run on "${text}": it matches none of the ${known.length} accepted minions`;
  throw new ConductorError('TARGET_EMPTY', message);
}

interface Unknown {
  readonly word: string;
  readonly code: 'TARGET_INVALID' | 'TARGET_EMPTY';
}

function refuseUnknown(text: string, unknown: readonly Unknown[], known: readonly Known[]): void {
  // A name is told before a glob: it is surely a mistake.
  const first = unknown.find(({ code }) => code === 'TARGET_INVALID') ?? unknown[0];
  if (first === undefined) return;
  const names = new Set(known.flatMap(({ id, groups }) => [id, ...groups]));
  const hint = didYouMean(first.word, names);
  const message = `Cannot find the target "${text}": no accepted minion or group fits "${first.word}"`;
  throw new ConductorError(first.code, `${message}${hint}`);
}

/** Names and globs that no minion and no group has: misspelt, rather than just not matching. */
function unknownNames(target: Target, known: readonly Known[]): Unknown[] {
  if (target.kind === 'name')
    return isHeldBy(known, (name) => name === target.name)
      ? []
      : [{ word: target.name, code: 'TARGET_INVALID' }];
  // A bare "*" asks for whatever there is.
  if (target.kind === 'glob')
    return target.pattern === '*' || isHeldBy(known, globMatcher(target.pattern))
      ? []
      : [{ word: target.pattern, code: 'TARGET_EMPTY' }];
  return partsOf(target).flatMap((part) => unknownNames(part, known));
}

function partsOf(target: Target): readonly Target[] {
  if (!('of' in target)) return [];
  return target.kind === 'not' ? [target.of] : target.of;
}

function isHeldBy(known: readonly Known[], fits: (name: string) => boolean): boolean {
  return known.some(({ id, groups }) => fits(id) || groups.some(fits));
}

function mentionsPillar(target: Target): boolean {
  return target.kind === 'pillar' || partsOf(target).some(mentionsPillar);
}
