import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import { dottedName } from '../top.ts';
import type { Tree } from '../tree.ts';
import { namedFiles } from './tree-files.ts';

/** Throws NOT_FOUND if a tree does not have a state file that is asked for by name. */
export function needStateFiles(tree: Tree, names: readonly string[]): void {
  const known = namedFiles(tree, 'states');
  const missing = names.find((name) => !known.has(name));
  if (missing === undefined) return;
  const dotted = dottedName(missing, 'states');
  const isPath = dotted !== missing && known.has(dotted);
  const hint = isPath ? `, write "${dotted}"` : didYouMean(dotted, known.keys());
  throw new ConductorError(
    'NOT_FOUND',
    `Cannot apply "${missing}": the tree has no state file of that name${hint}`,
  );
}
