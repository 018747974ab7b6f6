import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { compile, type CompileInput } from '../../language/compile.ts';
import type { Catalog } from '../../language/declaration.ts';
import { showPlace } from '../../language/place.ts';
import type { Problem } from '../../language/problem.ts';
import { revisionId } from '../../language/source.ts';
import type { StateSchemas } from '../../language/state-schema.ts';
import type { Tree } from '../../language/tree.ts';
import { ConductorError } from '../../shared/errors.ts';
import { toyStates } from './toy-states.ts';

/** A tree that stands in a test. */
export function treeOf(files: Readonly<Record<string, string>>): Tree {
  const bytes = new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]));
  const manifest = [...bytes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, content]) => ({
      path,
      sha256: createHash('sha256').update(content).digest('hex'),
      size: content.length,
      mode: '0644',
    }));
  return { revision: revisionId(manifest), manifest, read: (path) => bytes.get(path) ?? null };
}

export type World = Partial<Omit<CompileInput, 'tree'>>;

/** Compiles a tree for the minion `web1` of group `web`; the state file `web` is for all. */
export function compileTree(files: Readonly<Record<string, string>>, world: World = {}): Catalog {
  const top = { 'states/top.yaml': 'base: {"*": [web]}\n' };
  return compile({
    tree: treeOf({ ...top, ...files }),
    minion: { id: 'web1', groups: ['web'] },
    facts: { os: 'Debian', addresses: ['10.1.2.3', 'fd00::7'] },
    pillar: {},
    states: toyStates satisfies StateSchemas,
    stateFiles: [],
    params: {},
    allocatePort: (name) => 8000 + name.length,
    ...world,
  });
}

/** Compiles one state file. */
export function compileText(text: string, world: World = {}): Catalog {
  return compileTree({ 'states/web.yaml': text }, world);
}

/** The problems that a tree is refused for; none if it is not. */
export function problemsOf(run: () => unknown): readonly Problem[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof ConductorError) || error.code !== 'TREE_INVALID') throw error;
    const { problems } = error.details;
    return Array.isArray(problems) ? problems.filter(isProblem) : [];
  }
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'place' in value && 'sourceLine' in value;
}

/** `states/web.yaml:3:5 unknown argument …` for each. */
export function toldBy(run: () => unknown): readonly string[] {
  return problemsOf(run).map(({ place, message }) => `${showPlace(place)} ${message}`);
}
