import { namesAddressed } from '../../language/targets/addressed.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Services } from '../services.ts';

/**
 * What is odd about groups that somebody gives to a minion: those that no top file names and no other minion is in give it
 * nothing, and are most likely misspelt. They may be meant, for a tree that is yet to come.
 */
export async function oddGroups(
  { store, publisher }: Pick<Services, 'store' | 'publisher'>,
  minion: string | null,
  groups: readonly string[],
): Promise<string[]> {
  const newest = publisher.newest();
  if (newest === null || groups.length === 0) return [];
  const named = namesAddressed(await publisher.tree(newest.revision));
  if (named === null) return [];
  const others = (await store.minions.list()).filter(
    ({ id, state }) => id !== minion && state === 'accepted',
  );
  const known = new Set([...named, ...others.flatMap((other) => other.groups)]);
  return groups
    .filter((group) => !known.has(group))
    .map(
      (group) =>
        `no top file names the group "${group}", and no other minion is in it${didYouMean(group, known)}`,
    );
}
