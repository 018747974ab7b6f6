import { ConductorError } from '../../shared/errors.ts';
import { collectProblems } from '../problem.ts';
import { matches, type Candidate, type Target } from '../target.ts';
import { readTop, topIn } from '../top.ts';
import type { Tree } from '../tree.ts';

/** Throws NOTHING_DECLARED if no line of the states' top file is for a minion: one that gives it nothing will do. */
export function needLine(tree: Tree, minion: Candidate): void {
  if (isAddressed(tree, minion)) return;
  const { id, groups } = minion;
  const membership = groups.length === 0 ? 'it is in no group' : `it is in ${groups.join(', ')}`;
  throw new ConductorError(
    'NOTHING_DECLARED',
    `Cannot converge "${id}": no line of ${topIn(tree, 'states')} is for it (${membership}); ` +
      `give it a group that stands there, or a line of its own, which may be empty: "${id}": []`,
  );
}

function isAddressed(tree: Tree, minion: Candidate): boolean {
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
