import { renderProblems } from '../language/problem.ts';
import { readDirectory } from '../language/source.ts';
import type { Tree } from '../language/tree.ts';
import { lintTree } from './custom-types.ts';
import { stateTypes } from '../minion/state-types/index.ts';
import { ConductorError } from '../shared/errors.ts';

/** The tree in a directory, without a mistake. Throws TREE_INVALID with all there are. */
export async function lintDirectory(directory: string): Promise<Tree> {
  const tree = await readDirectory(directory);
  const problems = await lintTree(tree, stateTypes);
  if (problems.length === 0) return tree;
  throw new ConductorError('TREE_INVALID', renderProblems(problems), { problems });
}
