import { describeNode, type Entry, type MappingNode, type Node } from './values/node.ts';
import type { Link, Problems } from './problem.ts';
import type { NamedFile } from './top.ts';
import { findFile } from './states/tree-files.ts';
import type { Tree } from './tree.ts';
import { parseYaml } from './yaml.ts';

/** Whether and how often something is there: `each`, the names it binds, and `when`. */
export interface Loop {
  readonly each: Node | null;
  readonly as: Node | null;
  readonly when: Node | null;
}

/** A state file as it is written: nothing in it is computed yet. */
export interface StateFile {
  readonly name: string;
  readonly path: string;
  readonly loop: Loop;
  readonly include: Node | null;
  readonly params: MappingNode | null;
  readonly extend: MappingNode | null;
  readonly exclude: Node | null;
  /** All of it. */
  readonly node: Node;
  /** By ID. */
  readonly states: readonly Entry[];
}

/** Top-level keys of a state file that are no IDs. */
const RESERVED: ReadonlySet<string> = new Set([
  'include',
  'extend',
  'exclude',
  'each',
  'as',
  'when',
  'params',
]);

/** `null` if there is no such file or it cannot be read; why is reported. */
export function readStateFile(
  tree: Tree,
  file: NamedFile,
  problems: Problems,
  chain: readonly Link[] = [],
): StateFile | null {
  const found = findFile(tree, 'states', file, { problems, chain });
  const node = found === null ? null : parseYaml(found.path, found.bytes, problems);
  if (found === null || node === null || node.kind === 'broken') return null;
  const isEmpty = node.kind === 'scalar' && node.value === null;
  if (node.kind !== 'mapping' && !isEmpty) {
    const help = 'its keys are the IDs of states';
    problems.add(node.place, `a state file is a mapping, got ${describeNode(node)}`, { help });
    return null;
  }
  return structure({ name: file.name, path: found.path, node }, problems);
}

function entriesOf(node: Node): readonly Entry[] {
  return node.kind === 'mapping' ? node.entries : [];
}

function structure(file: Pick<StateFile, 'name' | 'path' | 'node'>, problems: Problems): StateFile {
  const entries = entriesOf(file.node);
  const value = (key: string) => entries.find((entry) => entry.key === key)?.value ?? null;
  return {
    ...file,
    loop: loopOf(entries),
    include: value('include'),
    params: mappingOf(value('params'), 'params', problems),
    extend: mappingOf(value('extend'), 'extend', problems),
    exclude: value('exclude'),
    states: entries.filter(({ key }) => !RESERVED.has(key)),
  };
}

function mappingOf(node: Node | null, word: string, problems: Problems): MappingNode | null {
  if (node === null || node.kind === 'mapping' || node.kind === 'broken') {
    return node?.kind === 'mapping' ? node : null;
  }
  problems.add(node.place, `"${word}" is a mapping, got ${describeNode(node)}`);
  return null;
}

const LOOP_WORDS: ReadonlySet<string> = new Set(['each', 'as', 'when']);

export function loopOf(entries: readonly Entry[]): Loop {
  const value = (key: string) => entries.find((entry) => entry.key === key)?.value ?? null;
  return { each: value('each'), as: value('as'), when: value('when') };
}

export function isLoopWord(key: string): boolean {
  return LOOP_WORDS.has(key);
}
