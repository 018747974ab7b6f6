import { Buffer } from 'node:buffer';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { NO_PROVENANCE } from '../../language/pillars/provenance.ts';
import { ConductorError } from '../../shared/errors.ts';
import { collectProblems } from '../../language/problem.ts';
import { lint } from '../../language/lint.ts';
import type { Lint } from '../../language/linting/lint-context.ts';
import { checkLiteral } from '../../language/linting/lint-state.ts';
import { lintTop } from '../../language/linting/lint-top.ts';
import { showPlace } from '../../language/place.ts';
import { shareOf } from '../../language/share.ts';
import { needStateFiles } from '../../language/states/named-on-command-line.ts';
import { readDirectory, revisionId, treeFromBlobs } from '../../language/source.ts';
import { toyStates } from '../helpers/toy-states.ts';
import { treeOf } from '../helpers/tree.ts';

async function directory(files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'conductor-tree-'));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content, { mode: 0o640 });
  }
  return root;
}

test('a directory is a revision: sorted files, their hashes, and an id of all', async (t) => {
  const root = await directory({
    'states/b.yaml': 'b',
    'states/a/init.yaml': '',
    'pillars/top.yaml': 'x',
    'templates/t.hbs': Buffer.from([0, 255]),
    'README.md': 'no part of it',
  });
  t.teardown(() => rm(root, { recursive: true }));
  const tree = await readDirectory(root);
  t.deepEqual(
    tree.manifest.map(({ path }) => path),
    ['pillars/top.yaml', 'states/a/init.yaml', 'states/b.yaml', 'templates/t.hbs'],
  );
  t.deepEqual(tree.manifest[2], {
    path: 'states/b.yaml',
    size: 1,
    mode: '0640',
    sha256: '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d',
  });
  t.is(tree.revision, revisionId(tree.manifest));
  t.is((await readDirectory(root)).revision, tree.revision);
  t.deepEqual(tree.read('templates/t.hbs'), Buffer.from([0, 255]));
  t.is(tree.read('README.md'), null);
});

function cannot(name: string): string {
  return `Cannot apply "${name}": the tree has no state file of that name`;
}

test('a state file that is asked for by name is in the tree, or refused with what was meant', (t) => {
  const tree = treeOf({ 'states/slow.yaml': '', 'states/web/init.yaml': '' });
  t.notThrows(() => needStateFiles(tree, ['slow', 'web']));
  const refused = (name: string) =>
    t.throws(() => needStateFiles(tree, [name]), { code: 'NOT_FOUND' });
  t.is(refused('slwo').message, `${cannot('slwo')}, did you mean "slow"?`);
  t.is(refused('states/web/init.yaml').message, `${cannot('states/web/init.yaml')}, write "web"`);
  t.is(refused('database').message, cannot('database'));
});

test('a tree that is not there, or no directory, is told as such', async (t) => {
  const root = await directory({ file: '' });
  t.teardown(() => rm(root, { recursive: true }));
  const none = { code: 'NOT_FOUND', message: /none": there is no such directory$/u };
  await t.throwsAsync(readDirectory(join(root, 'none')), none);
  const file = { code: 'NOT_FOUND', message: /file": it is not a directory$/u };
  await t.throwsAsync(readDirectory(join(root, 'file')), file);
});

test('leftovers of editors and packages are no part of a tree', async (t) => {
  const names = [
    'a.yaml',
    '.a.yaml.swp',
    'a.yaml~',
    'a.swp',
    'a.yaml.dpkg-old',
    '#a.yaml#',
    '.git/config',
  ];
  const root = await directory(Object.fromEntries(names.map((name) => [`states/${name}`, 'x'])));
  t.teardown(() => rm(root, { recursive: true }));
  t.deepEqual(
    (await readDirectory(root)).manifest.map(({ path }) => path),
    ['states/a.yaml'],
  );
});

test('what cannot be part of a tree is refused, all in one error', async (t) => {
  const root = await directory({ 'states/a.yaml': 'x', 'outside/b.yaml': 'x' });
  t.teardown(() => rm(root, { recursive: true }));
  await symlink('a.yaml', join(root, 'states/inside.yaml'));
  t.is((await readDirectory(root)).manifest.length, 2);
  await symlink('../outside/b.yaml', join(root, 'states/out.yaml'));
  await symlink('/etc', join(root, 'states/etc'));
  await symlink('nowhere', join(root, 'states/none.yaml'));
  await mkdir(join(root, 'templates/sub'), { recursive: true });
  await symlink('../templates/sub', join(root, 'states/sub'));
  await writeFile(Buffer.concat([Buffer.from(`${root}/states/`), Buffer.from([0x66, 0xff])]), 'x');
  const error = await t.throwsAsync(readDirectory(root), { instanceOf: ConductorError });
  t.is(error.code, 'TREE_INVALID');
  t.deepEqual(error.message.slice(error.message.indexOf(': ') + 2).split('; '), [
    '"states" holds a file whose name is not plain UTF-8 text',
    '"states/etc" is a link that leads out of the tree',
    '"states/none.yaml" is a link that leads nowhere',
    '"states/out.yaml" is a link that leads out of the tree',
    '"states/sub" is a link to a directory',
  ]);
});

test('a directory that is not there is named', async (t) => {
  await t.throwsAsync(readDirectory('/nowhere/at/all'), {
    message: 'Cannot read tree "/nowhere/at/all": there is no such directory',
  });
});

test('an empty directory is an empty tree', async (t) => {
  const root = await directory({});
  t.teardown(() => rm(root, { recursive: true }));
  t.deepEqual((await readDirectory(root)).manifest, []);
});

test('a tree is never a mixture of two moments', async (t) => {
  const root = await directory({ 'states/a.yaml': '0', 'states/b.yaml': '0' });
  t.teardown(() => rm(root, { recursive: true }));
  const writer = (async () => {
    for (let count = 1; count <= 40; count += 1) {
      for (const name of ['a', 'b']) {
        await writeFile(join(root, `${name}.new`), String(count));
        await rename(join(root, `${name}.new`), join(root, `states/${name}.yaml`));
      }
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    return 'written';
  })();
  for (let state = ''; state !== 'written';) {
    t.regex(await momentOf(root), /^(?:0|1|changing)$/u);
    state = await Promise.race([writer, Promise.resolve('writing')]);
  }
});

/** How far one file is ahead of the other. */
async function momentOf(root: string): Promise<string> {
  try {
    const tree = await readDirectory(root);
    const [a = 0, b = 0] = ['a', 'b'].map((name) =>
      Number(String(tree.read(`states/${name}.yaml`))),
    );
    return String(a - b);
  } catch (error) {
    return /keep changing/u.test(String(error)) ? 'changing' : String(error);
  }
}

test('blobs that are kept elsewhere make a tree', (t) => {
  const manifest = [{ path: 'states/a.yaml', sha256: 'aa', size: 1, mode: '0644' }];
  const tree = treeFromBlobs('r', manifest, (sha256) =>
    sha256 === 'aa' ? Buffer.from('x') : null,
  );
  t.is(String(tree.read('states/a.yaml')), 'x');
  t.is(tree.read('states/b.yaml'), null);
});

const minion = { id: 'web1', groups: ['web'] };

function share(files: Readonly<Record<string, string>>, stateFiles: string[] = []): string {
  const tree = treeOf({ 'states/top.yaml': 'base: {web: [web]}\n', ...files });
  const paths = shareOf(tree, minion, { os: 'Debian' }, stateFiles).map(({ path }) => path);
  return paths.filter((path) => path !== 'states/top.yaml').join(' ');
}

test('a share has the files of the minion, what they include and name, and no pillar', (t) => {
  t.is(
    share({
      'states/web.yaml':
        'include: [.a, {file: b, when: false}]\nx: {file.managed: {source: t.hbs}}\n',
      'states/a.yaml': 'x: {file.managed: {each: [1], source: [salt://u, templates/v]}}\n',
      'states/b/init.yaml': '',
      'states/c.yaml': '',
      'templates/t.hbs': '',
      'templates/u': '',
      'templates/v': '',
      'templates/w': '',
      'pillars/top.yaml': '',
    }),
    'states/a.yaml states/b/init.yaml states/web.yaml templates/t.hbs templates/u templates/v',
  );
});

test('a share takes along all that an expression could name', (t) => {
  const files = {
    'states/roles/a.yaml': '',
    'states/roles/b.yaml': '',
    'states/other.yaml': '',
    'templates/x/1': '',
    'templates/x/2': '',
    'templates/y': '',
  };
  t.is(
    share({ ...files, 'states/web.yaml': 'include: ["roles.{{ minion.id }}"]\n' }),
    'states/roles/a.yaml states/roles/b.yaml states/web.yaml',
  );
  t.is(
    share({ ...files, 'states/web.yaml': 'f: {file.managed: {source: "x/{{ minion.id }}"}}\n' }),
    'states/web.yaml templates/x/1 templates/x/2',
  );
  t.is(
    share({ ...files, 'states/web.yaml': 'f: {file.managed: {source: "{{ pillar.file }}"}}\n' }),
    'states/web.yaml templates/x/1 templates/x/2 templates/y',
  );
  t.is(
    share({ ...files, 'states/web.yaml': 'f: {file.managed: "{{ pillar.args }}"}\n' }),
    'states/web.yaml templates/x/1 templates/x/2 templates/y',
  );
  t.is(
    share({ ...files, 'states/web.yaml': 'f: {file.managed: {name: "/srv/{{ minion.id }}"}}\n' }),
    'states/web.yaml',
  );
});

test('a share counts what only a pillar could tell', (t) => {
  const top =
    'base:\n  "pillar.role:x": [a]\n  "facts.os:Ubuntu": [b]\n  "facts.os:Debian": ["c*"]\n';
  const files = {
    'states/top.yaml': top,
    'states/a.yaml': '',
    'states/b.yaml': '',
    'states/c1.yaml': '',
    'states/c2.yaml': '',
  };
  t.is(share(files), 'states/a.yaml states/c1.yaml states/c2.yaml');
  t.is(share(files, ['b']), 'states/b.yaml');
});

function linted(files: Readonly<Record<string, string>>): string[] {
  const found = lint(treeOf({ 'states/top.yaml': '', ...files }), toyStates);
  return found.map(({ place, message }) => `${showPlace(place)} ${message}`);
}

test('lint says nothing of a tree that depends on what only a minion knows', (t) => {
  t.deepEqual(
    linted({
      'states/top.yaml': 'base: {"*": [web, "gone.*"]}\n',
      'states/web.yaml': [
        'include: ["{{ minion.id }}", {file: other, params: {a: "{{ pillar.a }}"}}]',
        'each: "{{ pillar.sites }}"',
        '"{{ key }}":',
        '  file.managed: {source: "{{ value.source }}", context: {x: "{{ value.x }}"}, user: "{{ key }}"}',
        '  user.present: {uid: "{{ value.uid }}", names: [a, b]}',
        '  service.running: "{{ value.service }}"',
        'run: {cmd.run: {onchanges: ["{{ key }}"]}}',
        'copy: {file.managed: {use: ["{{ key }}"]}}',
        '',
      ].join('\n'),
      'states/other.yaml': 'params: {a: integer}\ncurl: pkg.installed\n',
      'pillars/top.yaml': 'base: {"*": [a]}\n',
      'pillars/a.yaml': 'x: "{{ pillar.nowhere }}"\npw: !sealed "{{ no expression"\n',
      'templates/t.hbs': '{{ anything }}\n',
    }),
    [],
  );
});

test('lint finds what no minion is needed for, in every file', (t) => {
  t.deepEqual(
    linted({
      'states/top.yaml': 'base: {"web and": [web], "*": [wed]}\n',
      'states/web.yaml':
        'include: [nowhere]\na: {pkg.instaled: {}}\nb: {file.managed: {name: relative, mdoe: 1}}\nc: {cmd.run: {name: "{{ x }"}}\nextend: {d: {user.present: {uidd: 1}}}\n',
      'states/not.reached.yaml': '',
      'states/x.yml': '',
      'pillars/a.yaml': 'x: "{{ uper 1 }}"\n',
      'pillars/top.yaml': 'base: {"facts.a:b": [b]}\n',
      'templates/t.hbs': '{{#if x}}\n',
    }),
    [
      'pillars/a.yaml:1:8 unknown helper "uper"',
      'pillars/top.yaml:1:8 the target "facts.a:b" asks for what the minion says of itself',
      'states/not.reached.yaml:1:1 no name can refer to this file',
      'states/top.yaml:1:16 cannot read the target "web and": a target is missing',
      'states/top.yaml:1:32 there is no state file "wed"',
      'states/web.yaml:1:11 there is no state file "nowhere"',
      'states/web.yaml:2:5 unknown state type "pkg.instaled"',
      'states/web.yaml:3:26 "name" of file.managed must start with "/", got the text "relative"',
      'states/web.yaml:3:36 unknown argument "mdoe" of file.managed',
      'states/web.yaml:4:27 cannot read this expression: unexpected "}"',
      'states/web.yaml:5:29 unknown argument "uidd" of user.present',
      'states/x.yml:1:1 this file is not read',
      'templates/t.hbs:1:4 "{{#if}}" is not closed',
    ],
  );
});

test('lint misses a guard only where nothing could give one', (t) => {
  t.deepEqual(linted({ 'states/a.yaml': 'a: {cmd.run: {}}\n' }), [
    'states/a.yaml:1:5 cmd.run "a" has no guard',
  ]);
  t.deepEqual(
    linted({
      'states/a.yaml': 'a: {cmd.run: {}}\n',
      'states/b.yaml': 'b: {pkg.installed: {onchanges_in: [a]}}\n',
    }),
    [],
  );
});

test('the parts of lint work alone', (t) => {
  const tree = treeOf({ 'states/top.yaml': 'base: {"*": [x]}\n' });
  const problems = collectProblems(tree);
  lintTop({ tree, problems }, 'states');
  const place = { file: 'a', line: 1, column: 1 };
  const workshop = {
    problems,
    allocatePort: () => 1,
    ports: new Map(),
    secrets: new Set<string>(),
    syntax: new Map(),
    provenance: NO_PROVENANCE,
    trail: [],
  };
  const context: Lint = {
    tree,
    states: toyStates,
    workshop,
    problems,
    known: new Map(),
    keysByType: new Map(),
    guardsElsewhere: false,
    argumentsElsewhere: false,
    isPartial: false,
  };
  const key = { kind: 'scalar', place, value: 'x.y' } as const;
  const written = { type: 'x.y', key, node: key };
  checkLiteral({ id: 'a', idPlace: place, written, args: null, isExtension: false }, context);
  t.deepEqual(
    problems.list().map(({ message }) => message),
    ['unknown state type "x.y"', 'there is no state file "x"'],
  );
});
