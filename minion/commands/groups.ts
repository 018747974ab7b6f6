import { namesAddressed } from '../../language/targets/addressed.ts';
import type { Tree } from '../../language/tree.ts';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';

/** A group that gives neither states nor data is misspelt. Throws NOT_FOUND. Mistakes in the top files are for the compiler to tell. */
export function needKnownGroups(tree: Tree, groups: readonly string[]): void {
  const names = namesAddressed(tree);
  const unknown = names === null ? undefined : groups.find((group) => !names.has(group));
  if (names === null || unknown === undefined) return;
  throw new ConductorError(
    'NOT_FOUND',
    `Cannot apply as a member of "${unknown}": no top file of the tree names this group${didYouMean(unknown, names)}`,
  );
}
