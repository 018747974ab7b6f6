import type { DataMapping } from '../../language/values/data.ts';
import type { Services } from '../services.ts';
import { pillarOf } from '../sessions/compiled-pillar.ts';
import { resolveTarget } from './resolve-target.ts';

/** The accepted minions that a target means; throws as `resolveTarget` does. */
export async function findMinions(
  { store, publisher, pillarKeys }: Pick<Services, 'store' | 'publisher' | 'pillarKeys'>,
  target: string,
): Promise<readonly string[]> {
  const accepted = (await store.minions.list()).filter(({ state }) => state === 'accepted');
  const facts = await store.minions.allFacts();
  const newest = publisher.newest();
  const tree = newest === null ? null : await publisher.tree(newest.revision);
  const known = accepted.map((minion) => ({
    id: minion.id,
    groups: minion.groups,
    facts: facts.get(minion.id) ?? {},
    pillar: (): DataMapping => (tree === null ? {} : pillarOf(tree, minion, pillarKeys)),
  }));
  return resolveTarget(target, known);
}
