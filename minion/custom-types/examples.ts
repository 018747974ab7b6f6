import { compile } from '../../language/compile.ts';
import { collectProblems } from '../../language/problem.ts';
import type { Problem } from '../../language/problem.ts';
import type { Tree } from '../../language/tree.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { StateType } from '../engine/state-type.ts';
import type { CustomType } from './load.ts';

const EXAMPLE = 'states/example.yaml';

/** Examples of the manual that would not compile for somebody who copies them. */
export function badExamples(
  tree: Tree,
  custom: readonly CustomType[],
  types: ReadonlyMap<string, StateType>,
): readonly Problem[] {
  const problems = collectProblems(tree);
  for (const { type, place } of custom) {
    const why = whyBroken(type.example, types);
    if (why === null) continue;
    const message = `the example of "${type.name}" does not compile`;
    problems.add(place, message, { help: why });
  }
  return problems.list();
}

function whyBroken(example: string, states: ReadonlyMap<string, StateType>): string | null {
  try {
    compile({
      tree: treeOf(example),
      minion: { id: 'example', groups: [] },
      facts: {},
      pillar: {},
      states,
      stateFiles: ['example'],
      params: {},
      allocatePort: () => 20_000,
    });
    return null;
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    return error.message.split('\n')[0] ?? '';
  }
}

/** Every template that it may name is there. */
function treeOf(example: string): Tree {
  return {
    revision: '0'.repeat(64),
    manifest: [{ path: EXAMPLE, sha256: '0'.repeat(64), size: example.length, mode: '0644' }],
    read(path) {
      if (path.startsWith('templates/')) return Buffer.from('content');
      return path === EXAMPLE ? Buffer.from(example) : null;
    },
  };
}
