import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { load as parse } from 'js-yaml';
import { z } from 'zod';
import { compile } from '../../language/compile.ts';
import type { Catalog } from '../../language/declaration.ts';
import { lint } from '../../language/lint.ts';
import { compilePillar } from '../../language/pillar.ts';
import { readDirectory } from '../../language/source.ts';
import type { Manifest, Tree } from '../../language/tree.ts';
import { SYSTEM_ACCOUNTS } from '../../master/eknight/eknight-pillar.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { isTreeFile } from '../../shared/tree-file.ts';
import type { TreeFile } from '../../shared/tree-file.ts';

const root = process.cwd();

const HELLO = `eknights:
  hello:
    repo: git://conductor/hello.git
    ref: main
    domain: hello.example.org
    aliases: [www.hello.example.org]
    secret_key: !sealed "sealed key"
    database: {engine: postgres, password: !sealed "sealed password"}
    packages: [libpq5]
    cron:
      digest: {command: bin/digest, hour: 6, minute: 30}
`;
const SHOP = `eknights:
  shop:
    repo: git://conductor/shop.git
    domain: shop.example.org
    secret_key: !sealed "another key"
    database: {engine: mysql, password: !sealed "another password"}
`;
const PLAIN = `eknights:
  plain:
    repo: git://conductor/plain.git
    domain: plain.example.org
    secret_key: !sealed "third key"
    project: site
    workers: 5
`;

/** The shipped tree with some files added. */
async function treeWith(files: Readonly<Record<string, string>>): Promise<Tree> {
  const tree = await readDirectory(root);
  const added = Object.entries(files).map(([path, content]) => ({
    path,
    sha256: '0'.repeat(64),
    size: content.length,
    mode: '0644',
  }));
  const manifest: Manifest = [...tree.manifest, ...added].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    ...tree,
    manifest,
    read: (path) => (path in files ? Buffer.from(files[path] ?? '') : tree.read(path)),
  };
}

interface Wanted {
  readonly groups: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

async function compiled({ groups, files = {} }: Wanted): Promise<Catalog> {
  const tree = await treeWith(files);
  const minion = { id: 'web-01', groups };
  const pillar = compilePillar({ tree, minion, unseal: (sealed) => sealed }).value;
  let port = 20_000;
  return compile({
    tree,
    minion,
    facts: { os: 'Debian', release: '12' },
    pillar,
    states: stateTypes,
    stateFiles: [],
    params: {},
    allocatePort: () => port++,
  });
}

function find(catalog: Catalog, id: string) {
  const found = catalog.declarations.filter((declaration) => declaration.id === id);
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} declarations of "${id}"`);
  return only;
}

const withSource = z.object({ source: z.custom<TreeFile>(isTreeFile) });

/** The rendered template of a file. */
function textOf(catalog: Catalog, id: string): string {
  const file = catalog.declarations.find((one) => one.id === id && one.type === 'file.managed');
  return Buffer.from(withSource.parse(file?.args).source.read()).toString();
}

function position(catalog: Catalog, id: string): number {
  return catalog.declarations.indexOf(find(catalog, id));
}

const EVERYTHING = { 'pillars/eknights/hello.yaml': HELLO, 'pillars/eknights/shop.yaml': SHOP };
const APPSERVER = ['appserver', 'database'];

test('the shipped tree has no mistakes', async (t) => {
  t.deepEqual(lint(await readDirectory(root), stateTypes), []);
});

test('every machine gets directories, the robot and a firewall, and nothing of eKnights', async (t) => {
  const catalog = await compiled({ groups: [], files: EVERYTHING });
  const ids = catalog.declarations.map(({ id }) => id);
  for (const id of ['/srv/environments', '/srv/projects', '/srv/logs', 'robot', '/etc/nftables.conf']) {
    t.true(ids.includes(id), id);
  }
  t.deepEqual(ids.filter((id) => /hello|nginx|postgres|circus/.test(id)), []);
});

test('rules of the firewall that are not loaded are loaded again, also where their file is as it was', async (t) => {
  const catalog = await compiled({ groups: [] });
  const { type, name, guards } = find(catalog, 'rules of the firewall are loaded');
  const firewall = textOf(catalog, '/etc/nftables.conf');
  t.deepEqual([type, name], ['cmd.run', '/usr/sbin/nft -f /etc/nftables.conf']);
  const [, table = 'none', chain = 'none', rule = 'none'] =
    /list chain (inet \w+) (\w+) \| grep --quiet '([^']+)'$/.exec(guards.unless.join('\n')) ?? [];
  for (const line of [`table ${table} {`, `\tchain ${chain} {`, `\t\t${rule}`])
    t.true(firewall.split('\n').includes(line), line);
  const last = catalog.declarations.findLastIndex(({ id }) => id === 'nftables');
  t.true(position(catalog, 'rules of the firewall are loaded') > last, 'the service comes first');
});

test('a machine of each group compiles without any eKnight', async (t) => {
  for (const group of ['conductor', 'appserver', 'database']) {
    t.true((await compiled({ groups: [group] })).declarations.length > 10, group);
  }
});

test('the Conductor machine runs the master', async (t) => {
  const catalog = await compiled({ groups: ['conductor'] });
  t.is(find(catalog, 'conductor-master').type, 'service.running');
});

test('an app server gets everything of its eKnights, in an order that works', async (t) => {
  const catalog = await compiled({ groups: APPSERVER, files: EVERYTHING });
  const steps = [
    'hello account',
    'hello home',
    'hello code',
    'hello environment from PyPI',
    'hello settings',
    'hello migrations',
    'hello static files',
    'hello process',
    'hello answers',
  ];
  const positions = steps.map((id) => position(catalog, id));
  t.deepEqual(positions, positions.toSorted((a, b) => a - b));
  t.true(position(catalog, 'hello postgres database') < position(catalog, 'hello migrations'));
  t.true(position(catalog, 'shop mysql grants') < position(catalog, 'shop migrations'));
  t.is(find(catalog, 'hello process').type, 'circus.watcher');
});

test('an eKnight is restarted when its code, settings or packages change', async (t) => {
  const catalog = await compiled({ groups: APPSERVER, files: EVERYTHING });
  const watched = find(catalog, 'hello process').requisites.filter(({ kind }) => kind === 'watch');
  const ids = watched.flatMap(({ targets }) => targets).map((key) => key.split('|')[1] ?? '');
  t.deepEqual(new Set(ids), new Set(['hello environment from PyPI', 'hello settings', 'hello code']));
});

test('secrets stand in a file that only the eKnight can read', async (t) => {
  const catalog = await compiled({ groups: APPSERVER, files: EVERYTHING });
  const { args } = find(catalog, 'hello settings');
  t.like(args, { mode: '0640', user: 'hello', group: 'hello' });
  t.true(catalog.secrets.includes('sealed key'));
  t.true(catalog.secrets.includes('sealed password'));
});

test('eKnights have ports of their own', async (t) => {
  const catalog = await compiled({ groups: APPSERVER, files: EVERYTHING });
  t.deepEqual([...catalog.ports.keys()].toSorted(), ['hello', 'shop']);
  t.is(new Set(catalog.ports.values()).size, 2);
});

test('where PyPI cannot be reached, Python packages and the process manager come from Debian', async (t) => {
  const site = 'process_manager: supervisor\npython_packages_from: debian\n';
  const files = { ...EVERYTHING, 'pillars/site/offline.yaml': site };
  const catalog = await compiled({ groups: APPSERVER, files });
  t.is(find(catalog, 'hello process').type, 'supervisor.program');
  t.like(find(catalog, 'hello environment from Debian').args, { system_site_packages: true });
  t.deepEqual(catalog.declarations.filter(({ id }) => /PyPI|circus/.test(id)), []);
});

test('an eKnight without a database gets none', async (t) => {
  const files = { 'pillars/eknights/plain.yaml': PLAIN };
  const catalog = await compiled({ groups: APPSERVER, files });
  const ids = catalog.declarations.map(({ id }) => id).filter((id) => id.startsWith('plain'));
  t.deepEqual(ids.filter((id) => /postgres|mysql|migrations/.test(id)), []);
  t.like(find(catalog, 'plain settings').args, { name: '/srv/projects/plain/code/site/local_settings.py' });
});

test('an eKnight may have cron lines and Debian packages of its own', async (t) => {
  const catalog = await compiled({ groups: APPSERVER, files: EVERYTHING });
  t.like(find(catalog, 'hello cron digest').args, { user: 'hello', hour: '6', minute: '30' });
  t.like(find(catalog, 'hello Debian packages').args, { pkgs: ['libpq5'] });
});

test('admins get accounts, keys and sudo', async (t) => {
  const site = 'admins:\n  dana: {fullname: Dana Levi, keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKlQ5cZb8Q5nqvIz8kP6Jt6Yy1w5k0N0m5Zb4cVQ9x2P dana]}\n';
  const catalog = await compiled({ groups: [], files: { 'pillars/site/people.yaml': site } });
  t.deepEqual(
    catalog.declarations.filter(({ id }) => id === 'admin dana').map(({ type }) => type),
    ['user.present', 'ssh_auth.present'],
  );
});

test('databases listen to networks only when clients are named', async (t) => {
  const closed = await compiled({ groups: ['database'] });
  t.regex(textOf(closed, 'postgres settings'), /^listen_addresses = 'localhost'$/m);
  t.notRegex(textOf(closed, '/etc/nftables.conf'), /5432/);
  const site = 'database: {clients: [10.1.0.0/24]}\n';
  const open = await compiled({ groups: ['database'], files: { 'pillars/site/net.yaml': site } });
  t.regex(textOf(open, 'postgres settings'), /^listen_addresses = '\*'$/m);
  t.regex(textOf(open, 'postgres clients'), /^host +all +all +10\.1\.0\.0\/24 +scram-sha-256$/m);
  t.regex(textOf(open, '/etc/nftables.conf'), /ip saddr 10\.1\.0\.0\/24 tcp dport \{ 3306, 5432, 6379 \} accept/);
});

/** Every mistake that compiling a tree with this eKnight finds, for the groups in turn. */
async function mistakesOf(t: ExecutionContext, eknight: string): Promise<string> {
  const files = { 'pillars/eknights/hello.yaml': eknight };
  const errors = [];
  for (const group of APPSERVER)
    errors.push(await t.throwsAsync(compiled({ groups: [group], files })));
  return errors.map((error) => error.message).join('\n');
}

test('a database of no known kind is a mistake that names those there are', async (t) => {
  const near = await mistakesOf(t, HELLO.replace('engine: postgres', 'engine: postgresql'));
  t.is(near.match(/there is no "postgresql" in it, did you mean "postgres"\?/g)?.length, 2, near);
  const far = await mistakesOf(t, HELLO.replace('engine: postgres', 'engine: oracle'));
  t.is(far.match(/there is no "oracle" in it, only postgres, mysql, none/g)?.length, 2, far);
  const none = await mistakesOf(t, HELLO.replace('engine: postgres, ', ''));
  t.regex(none, /there is no "engine" in it/);
});

test('a misspelt key of an eKnight is a mistake', async (t) => {
  t.regex(
    await mistakesOf(t, HELLO.replace('packages:', 'pakages:')),
    /there is no "pakages" in it, did you mean "packages"\?/,
  );
  t.regex(
    await mistakesOf(t, HELLO.replace('password:', 'user: u, passwort:')),
    /there is no "passwort" in it, did you mean "password"\?/,
  );
});

test('an eKnight cannot be named as an account of the system', async (t) => {
  const problems = await mistakesOf(t, HELLO.replace('  hello:', '  www-data:'));
  t.is(problems.match(/an account of the system\. Rename www-data"/g)?.length, 2, problems);
  const base = parse(readFileSync(join(root, 'pillars/base.yaml'), 'utf8'));
  t.deepEqual(withKnown.parse(base).known_of_eknights.not_names, [...SYSTEM_ACCOUNTS]);
});

const flags = z.record(z.string(), z.unknown());
const withKnown = z.object({ known_of_eknights: z.object({ keys: flags, database: flags, not_names: z.array(z.string()) }) });

test('all that docs/first-eknight.md says of an eKnight may be said', async (t) => {
  const page = readFileSync(join(root, 'docs/first-eknight.md'), 'utf8');
  const said = [...page.matchAll(/^\| ((?:`[\w.]+`(?:, )?)+) \|/gm)].flatMap(([, keys = '']) =>
    keys.split(', ').map((key) => key.replaceAll('`', '')),
  );
  const base = parse(readFileSync(join(root, 'pillars/base.yaml'), 'utf8'));
  const { keys: ofEknight, database } = withKnown.parse(base).known_of_eknights;
  const known = [
    ...Object.keys(ofEknight).filter((key) => key !== 'database'),
    ...Object.keys(database).map((key) => `database.${key}`),
  ];
  t.deepEqual(said.toSorted(), known.toSorted());
});

test('the settings of an eKnight are Python', async (t) => {
  const catalog = await compiled({ groups: APPSERVER, files: EVERYTHING });
  const hello = textOf(catalog, 'hello settings');
  t.regex(hello, /^SECRET_KEY = "sealed key"$/m);
  t.regex(hello, /^ALLOWED_HOSTS = \["hello\.example\.org","www\.hello\.example\.org"\]$/m);
  t.regex(hello, /"ENGINE": "django\.db\.backends\.postgresql"/);
  t.regex(textOf(catalog, 'shop settings'), /"ENGINE": "django\.db\.backends\.mysql"/);
});

test('every template of the tree is used by a state file', async (t) => {
  const tree = await readDirectory(root);
  const paths = tree.manifest.map(({ path }) => path);
  const states = paths.filter((path) => path.startsWith('states/'));
  const text = states.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
  for (const path of paths.filter((path) => path.startsWith('templates/'))) {
    t.true(text.includes(`source: ${path.slice('templates/'.length)}`), path);
  }
});
