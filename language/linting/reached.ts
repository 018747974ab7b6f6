import { collectProblems } from '../problem.ts';
import { absoluteName, includedNodes } from '../states/include.ts';
import { readStateFile } from '../state-file.ts';
import { expand, readTop } from '../top.ts';
import { textOf } from '../values/node.ts';
import type { Tree } from '../tree.ts';

type Named = ReadonlyMap<string, readonly string[]>;

/** The names of the state files that the top file gives to anybody, and of those that they include. */
export function reachedNames(tree: Tree, named: Named): ReadonlySet<string> {
  const lines = readTop(tree, 'states', collectProblems(tree)) ?? [];
  const given = lines.flatMap(({ files }) => files.flatMap((file) => expand(file, named)));
  const reached = new Set(given.map(({ name }) => name));
  for (const name of reached) {
    for (const included of includedBy(name, tree, named)) reached.add(included);
  }
  return reached;
}

function includedBy(name: string, tree: Tree, named: Named): readonly string[] {
  const [path] = named.get(name) ?? [];
  if (path === undefined) return [];
  const place = { file: path, line: 1, column: 1 };
  const file = readStateFile(tree, { name, place }, collectProblems(tree));
  return includedNodes(file?.include ?? null)
    .map((node) => ({ name: absoluteName(textOf(node) ?? '', { name, path }), place }))
    .flatMap((included) => expand(included, named))
    .map((included) => included.name);
}
