import type { Surroundings } from '../../../../shared/surroundings.ts';
import { allBelow, ofItsOwn } from '../../lib/settled.ts';
import type { FoundBelow } from '../../../host/host.ts';
import { pathsTo } from './choose.ts';

/** What a recursion gives to what it finds. */
export const PARTS = ['owner', 'group', 'mode'] as const;
export type Part = (typeof PARTS)[number];

/** What of a recursion it is about, as `settles` says it. */
export type Decision = `${Part} of ${'files' | 'directories'}`;

/** What other states decide of one path below a directory, or of all that is below that path. */
export interface Elsewhere {
  /** Without that of the directory. */
  readonly path: string;
  readonly isBelow: boolean;
  readonly decides: readonly Decision[];
}

/** Links have owners, too. */
export function decisionOf(part: Part, kind: FoundBelow['kind']): Decision {
  return `${part} of ${kind === 'directory' ? 'directories' : 'files'}`;
}

/** What others decide below a directory: the state that names a path knows it better than one for all of them. */
export function decidedElsewhere(name: string, { settled }: Surroundings): Elsewhere[] {
  return settled().flatMap((one) =>
    Object.entries(one).flatMap(([resource, attributes]) => {
      const at = resource.indexOf(':');
      const [kind, path] = [resource.slice(0, at + 1), resource.slice(at + 1)];
      const isBelow = kind === allBelow('');
      if ((kind !== 'path:' && !isBelow) || !path.startsWith(`${name}/`)) return [];
      const decides = isBelow ? DECISIONS.filter((all) => all in attributes) : ofOne(attributes);
      return decides.length === 0 ? [] : [{ path: path.slice(name.length + 1), isBelow, decides }];
    }),
  );
}

const DECISIONS = PARTS.flatMap((part) => [
  decisionOf(part, 'file'),
  decisionOf(part, 'directory'),
]);

function ofOne(attributes: Readonly<Record<string, string>>): readonly Decision[] {
  return PARTS.flatMap((part) => {
    const isDecided = part in attributes || ofItsOwn(part) in attributes;
    return isDecided ? [decisionOf(part, 'file'), decisionOf(part, 'directory')] : [];
  });
}

/** Tells whether something of what is found is left to others. */
export function leftToOthers(
  elsewhere: readonly Elsewhere[],
): (found: FoundBelow, part: Part) => boolean {
  if (elsewhere.length === 0) return () => false;
  const here = gathered(elsewhere.filter(({ isBelow }) => !isBelow));
  const below = gathered(elsewhere.filter(({ isBelow }) => isBelow));
  return ({ path, kind }, part) => {
    const decision = decisionOf(part, kind);
    if (here.get(path)?.has(decision) === true) return true;
    return pathsTo(path)
      .slice(1)
      .some((above) => below.get(above)?.has(decision) === true);
  };
}

function gathered(all: readonly Elsewhere[]): ReadonlyMap<string, ReadonlySet<Decision>> {
  const byPath = new Map<string, Set<Decision>>();
  for (const { path, decides } of all) {
    byPath.set(path, new Set([...(byPath.get(path) ?? []), ...decides]));
  }
  return byPath;
}
