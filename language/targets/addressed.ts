import { collectProblems } from '../problem.ts';
import { matches, type Candidate, type Target } from '../target.ts';
import { readTop } from '../top.ts';
import type { Tree } from '../tree.ts';

/** Whether any line of the states' top file is for a minion, even if it gives it nothing. */
export function isAddressed(tree: Tree, minion: Candidate): boolean {
  const lines = readTop(tree, 'states', collectProblems(tree)) ?? [];
  return lines.some(({ target }) => matches(target, minion));
}

/** The names of minions and groups in the top files; `null` if a mistake in these keeps them from being known. */
export function namesAddressed(tree: Tree): ReadonlySet<string> | null {
  const problems = collectProblems(tree);
  const folders = ['states', 'pillars'] as const;
  const lines = folders.flatMap((folder) => readTop(tree, folder, problems) ?? []);
  if (problems.list().length > 0) return null;
  return new Set(lines.flatMap(({ target }) => namesIn(target)));
}

function namesIn(target: Target): readonly string[] {
  if (target.kind === 'not') return namesIn(target.of);
  if ('of' in target) return target.of.flatMap(namesIn);
  return target.kind === 'name' ? [target.name] : [];
}
