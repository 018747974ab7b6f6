import type { DataMapping } from './values/data.ts';
import { typePaths } from './custom-files.ts';
import { hasExpression } from './expression.ts';
import { absoluteName, includedNodes } from './states/include.ts';
import { textOf, type MappingNode, type Node } from './values/node.ts';
import type { Minion } from './pillar.ts';
import { collectProblems, type Problems } from './problem.ts';
import { candidates, isElsewhere } from './states/sources.ts';
import { readStateFile, type StateFile } from './state-file.ts';
import { couldMatch } from './targets/target-possible.ts';
import { expand, readTop, topIn } from './top.ts';
import { namedFiles } from './states/tree-files.ts';
import type { Manifest, Tree } from './tree.ts';

/** What one minion needs of a tree, gathered file by file. */
interface Gathering {
  readonly tree: Tree;
  readonly known: ReadonlyMap<string, readonly string[]>;
  readonly problems: Problems;
  readonly paths: Set<string>;
  readonly seen: Set<string>;
}

/**
 * The part of a tree that a minion needs to compile: its state files with all they may include,
 * the templates these may name, and the tree's own state types. A superset: `when`, `each` and what only a pillar tells are taken to
 * hold. Never anything of `pillars/`. Mistakes are left for the compiler to tell.
 */
export function shareOf(
  tree: Tree,
  minion: Minion,
  facts: DataMapping,
  stateFiles: readonly string[],
): Manifest {
  const gathering = startGathering(tree);
  const { paths } = gathering;
  paths.add(topIn(tree, 'states'));
  for (const path of typePaths(tree.manifest)) paths.add(path);
  const names = stateFiles.length > 0 ? stateFiles : fromTop(gathering, minion, facts);
  for (const name of names) gather(name, gathering);
  return tree.manifest.filter(({ path }) => paths.has(path));
}

/** The names of the state files that the top file may give to a minion, and of those they may include. */
export function stateFilesOf(tree: Tree, minion: Minion, facts: DataMapping): ReadonlySet<string> {
  const gathering = startGathering(tree);
  for (const name of fromTop(gathering, minion, facts)) gather(name, gathering);
  return gathering.seen;
}

function startGathering(tree: Tree): Gathering {
  const known = namedFiles(tree, 'states');
  return { tree, known, problems: collectProblems(tree), paths: new Set(), seen: new Set() };
}

function fromTop(
  { tree, known, problems }: Gathering,
  minion: Minion,
  facts: DataMapping,
): readonly string[] {
  const entries = readTop(tree, 'states', problems) ?? [];
  return entries
    .filter(({ target }) => couldMatch(target, { ...minion, facts }))
    .flatMap(({ files }) => files.flatMap((file) => expand(file, known)))
    .map(({ name }) => name);
}

function gather(name: string, gathering: Gathering): void {
  const { tree, known, problems, paths, seen } = gathering;
  const own = known.get(name);
  if (own === undefined || seen.has(name)) return;
  seen.add(name);
  for (const path of own) paths.add(path);
  const place = { file: own[0] ?? '', line: 1, column: 1 };
  const file = readStateFile(tree, { name, place }, problems);
  if (file === null) return;
  for (const included of includedNames(file, known)) gather(included, gathering);
  for (const { value } of file.states) gatherTemplates(value, '', gathering);
  if (file.extend !== null) gatherTemplates(file.extend, '', gathering);
  if (file.params !== null) gatherTemplates(file.params, '', gathering);
}

function includedNames(
  { include, name, path }: StateFile,
  known: ReadonlyMap<string, unknown>,
): readonly string[] {
  return includedNodes(include).flatMap((node) => {
    const text = textOf(node);
    if (text === null) return [];
    if (!hasExpression(text)) return [absoluteName(text, { name, path })];
    const prefix = text.startsWith('{{') ? '' : absoluteName(literalPrefix(text), { name, path });
    return [...known.keys()].filter((other) => other.startsWith(prefix));
  });
}

function literalPrefix(text: string): string {
  return text.slice(0, text.indexOf('{{'));
}

/** Any text that names a template takes it along; what is computed takes all it could name. */
function gatherTemplates(node: Node, key: string, gathering: Gathering): void {
  if (node.kind === 'sequence') {
    for (const item of node.items) gatherTemplates(item, key, gathering);
  } else if (node.kind === 'mapping') gatherBelow(node, gathering);
  else {
    const text = textOf(node);
    if (text !== null) gatherText(text, key, gathering);
  }
}

function gatherBelow(node: MappingNode, gathering: Gathering): void {
  for (const { key, value } of node.entries) {
    gatherTemplates(value, key, gathering);
    // All arguments of a state from one expression: a template may be among them.
    const isWhole = /^[a-z0-9_]+\.[a-z0-9_]+$/u.test(key) && hasExpression(textOf(value));
    if (isWhole) gatherPrefix('', gathering);
  }
}

function gatherText(text: string, key: string, gathering: Gathering): void {
  const { tree, paths } = gathering;
  if (!hasExpression(text)) {
    const found = candidates(text).filter((path) => tree.read(path) !== null);
    for (const path of found) paths.add(path);
    const isDirectory = key === 'source' && found.length === 0 && !isElsewhere(text);
    if (isDirectory) gatherPrefix(`${text.replace(/\/+$/u, '')}/`, gathering);
    return;
  }
  const prefix = literalPrefix(text);
  const isSource = key === 'source' || key === 'default';
  if (isSource ? prefix === '' || !isElsewhere(prefix) : prefix.includes('/')) {
    gatherPrefix(prefix, gathering);
  }
}

function gatherPrefix(prefix: string, { tree, paths }: Gathering): void {
  const starts = prefix === '' ? ['templates/'] : candidates(prefix);
  for (const { path } of tree.manifest) {
    const isFile = path.startsWith('templates/') || !/\.(?:yaml|sls)$/u.test(path);
    if (isFile && starts.some((start) => path.startsWith(start))) paths.add(path);
  }
}
