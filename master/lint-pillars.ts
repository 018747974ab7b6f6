import { compilePillar } from '../language/pillar.ts';
import type { Tree } from '../language/tree.ts';
import { ConductorError } from '../shared/errors.ts';
import type { Services } from './services.ts';
import type { Minion } from './store/store.ts';

/**
 * Finds what is wrong only in the pillars as they come out for the minions that there are, such as a schedule that
 * is computed. Throws TREE_INVALID, which says whose they are.
 */
export async function lintPillars(
  { store, pillarKeys }: Pick<Services, 'store' | 'pillarKeys'>,
  tree: Tree,
): Promise<void> {
  const accepted = (await store.minions.list()).filter(({ state }) => state === 'accepted');
  const owners = new Map<string, string[]>();
  for (const minion of accepted) {
    const problem = problemOf(tree, minion, pillarKeys.unseal);
    if (problem !== null) owners.set(problem, [...(owners.get(problem) ?? []), minion.id]);
  }
  if (owners.size === 0) return;
  const told = [...owners].map(([problem, ids]) => `${problem} in the pillar of ${listed(ids)}`);
  throw new ConductorError('TREE_INVALID', told.join('\n\n'));
}

function problemOf(
  tree: Tree,
  { id, groups }: Minion,
  unseal: Services['pillarKeys']['unseal'],
): string | null {
  try {
    compilePillar({ tree, minion: { id, groups }, unseal });
    return null;
  } catch (error) {
    if (error instanceof ConductorError && error.code === 'TREE_INVALID') return error.message;
    throw error;
  }
}

const MOST_LISTED = 5;

function listed(ids: readonly string[]): string {
  const more = ids.length - MOST_LISTED;
  return `${ids.slice(0, MOST_LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
