import { hasExpression } from '../expression.ts';
import { collectProblems } from '../problem.ts';
import type { StateFile } from '../state-file.ts';
import { absoluteName } from '../states/include.ts';
import { expand, readTop } from '../top.ts';
import { textOf } from '../values/node.ts';
import type { Lint } from './lint-context.ts';
import { reachedNames } from './reached.ts';

type Files = ReadonlyMap<string, StateFile>;

/** State files that go to one minion together, whatever its values are. */
export function groupsOf(files: Files, context: Lint): readonly (readonly StateFile[])[] {
  const groups = new Map(
    rootsOf(context).map((roots) => {
      const names = surelyWith(roots, files, context);
      return [names.join(' '), names] as const;
    }),
  );
  return [...groups.values()].map((names) => names.flatMap((name) => files.get(name) ?? []));
}

/** What a minion of each line of the top file gets at least, and each file that no line gives. */
function rootsOf({ tree, known }: Lint): readonly (readonly string[])[] {
  const lines = readTop(tree, 'states', collectProblems(tree)) ?? [];
  const given = lines.map(({ target, files }) => ({
    isForAll: target.kind === 'glob' && target.pattern === '*',
    names: files.flatMap((file) => expand(file, known)).map(({ name }) => name),
  }));
  const forAll = given.filter(({ isForAll }) => isForAll).flatMap(({ names }) => names);
  const reached = reachedNames(tree, known);
  const alone = [...known.keys()].filter((name) => !reached.has(name)).map((name) => [name]);
  return [...given.map(({ names }) => [...new Set([...forAll, ...names])]), ...alone];
}

/** With what they include, each once, as far as nothing has a say in it; included ones first. */
function surelyWith(roots: readonly string[], files: Files, { known }: Lint): readonly string[] {
  const found = new Set<string>();
  const path = new Set<string>();
  const visit = (name: string): void => {
    const file = files.get(name);
    if (file === undefined || path.has(name) || found.has(name) || isLooped(file)) return;
    path.add(name);
    for (const included of plainIncludes(file))
      for (const one of expand({ name: included, place: file.node.place }, known)) visit(one.name);
    found.add(name);
  };
  for (const root of roots) visit(root);
  return [...found];
}

function isLooped({ loop: { each, when }, params }: StateFile): boolean {
  return each !== null || when !== null || params !== null;
}

/** The names in its `include` that are written out, of files that it includes whatever its values are. */
export function plainIncludes(file: StateFile): readonly string[] {
  const items = file.include?.kind === 'sequence' ? file.include.items : [file.include];
  return items.flatMap((item) => {
    const text = item === null ? null : textOf(item);
    return text === null || hasExpression(text) ? [] : [absoluteName(text, file)];
  });
}
