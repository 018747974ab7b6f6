import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { compile } from '../../language/compile.ts';
import type { Catalog, Declaration } from '../../language/declaration.ts';
import { lint } from '../../language/lint.ts';
import { renderProblems } from '../../language/problem.ts';
import { readDirectory } from '../../language/source.ts';
import { namedFiles } from '../../language/states/tree-files.ts';
import { stateTypes } from '../../minion/state-types/index.ts';

/**
 * A tree of Salt's without Jinja, as small teams have them. Beside each `NAME.sls` stands `NAME.expect`:
 * by Salt's documentation, in which order its states run and what each refers to.
 *
 *     TYPE ID [= NAME] [<- KIND MODULE:ID, …[; KIND …]]
 *
 * A name is told only where an ID has several of one type. What Conductor adds of itself (implied
 * requisites) is not compared, but must not change the order either.
 */
const FOLDER = 'test/tree/salt';

const tree = await readDirectory(FOLDER);
const files = namedFiles(tree, 'states');

function compileFile(name: string): Catalog {
  return compile({
    tree,
    minion: { id: 'web1', groups: [] },
    facts: {},
    pillar: {},
    states: stateTypes,
    stateFiles: [name],
    params: {},
    allocatePort: () => 8000,
  });
}

function said({ declarations }: Catalog): string[] {
  const byKey = new Map(declarations.map((declaration) => [declaration.key, declaration]));
  const several = new Map<string, Declaration[]>();
  for (const declaration of declarations) {
    const word = wordOf(declaration);
    several.set(word, [...(several.get(word) ?? []), declaration]);
  }
  return declarations.map((declaration) => {
    const { type, id, name, requisites } = declaration;
    const own = (several.get(wordOf(declaration)) ?? []).length > 1 ? ` = ${name}` : '';
    const written = requisites
      .filter(({ implied }) => !implied)
      .map(({ kind, targets }) => {
        const them = targets.flatMap((key) => byKey.get(key) ?? []);
        return `${kind} ${references(them, several).join(', ')}`;
      });
    return `${type} ${id}${own}${written.length === 0 ? '' : ` <- ${written.join('; ')}`}`;
  });
}

function wordOf({ type, id }: Declaration): string {
  return `${type.split('.')[0]}:${id}`;
}

/** All names of an ID together are told as the ID. */
function references(
  targets: readonly Declaration[],
  several: ReadonlyMap<string, readonly Declaration[]>,
): readonly string[] {
  const words = targets.map((target) => {
    const word = wordOf(target);
    const all = several.get(word) ?? [];
    return all.every((one) => targets.includes(one)) ? word : `${word} = ${target.name}`;
  });
  return [...new Set(words)];
}

for (const [name, [path = '']] of files) {
  test(`${name} runs as Salt documents it`, (t) => {
    const expected = readFileSync(join(FOLDER, path.replace(/\.sls$/u, '.expect')), 'utf8');
    t.deepEqual(said(compileFile(name)), expected.trimEnd().split('\n'));
  });
}

test('there are a hundred files, and what teams use most is used most', (t) => {
  t.true(files.size >= 100);
  const counts = new Map<string, number>();
  for (const name of files.keys()) {
    for (const { type, stateFile } of compileFile(name).declarations) {
      if (stateFile === name) counts.set(type, (counts.get(type) ?? 0) + 1);
    }
  }
  const [first, second] = [...counts].toSorted(([, a], [, b]) => b - a).map(([type]) => type);
  t.deepEqual([first, second], ['file.managed', 'cmd.run']);
  for (const type of USED) t.true(counts.has(type), type);
});

const USED = [
  'file.directory file.absent file.symlink file.append file.replace file.recurse file.line',
  'pkg.installed service.running git.latest cron.present cron.absent pkgrepo.managed archive.extracted',
  'user.present group.present cmd.script ssh_auth.present docker_image.present',
  'postgres_user.present postgres_database.present postgres_privileges.present',
  'mysql_user.present mysql_database.present mysql_grants.present',
].flatMap((line) => line.split(' '));

test('a tree of Salt passes lint as it is', (t) => {
  const found = lint(tree, stateTypes);
  t.is(found.length, 0, renderProblems(found));
});
