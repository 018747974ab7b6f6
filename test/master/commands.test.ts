import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { VERSION } from '../../shared/version.ts';
import { open, sealingKey } from '../../protocol/seal.ts';
import { readKeyFile } from '../../protocol/key-files.ts';
import { acceptedMinion, commandLine, testMaster, testMinion } from './harness.ts';

function emptyDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-cli-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function initialized(t: ExecutionContext): Promise<string> {
  const directory = emptyDirectory(t);
  const { code, err } = await commandLine(['init'], { directory });
  t.is(code, 0, err.join('\n'));
  return directory;
}

test('init makes keys that only their owner can read, and never replaces them', async (t) => {
  const directory = emptyDirectory(t);
  const first = await commandLine(['init'], { directory });
  t.is(first.code, 0);
  t.regex(first.out[0] ?? '', /^cdr1:[a-z2-7]{52}$/u);
  const keys = ['root', 'identity', 'sealing'].map((name) =>
    join(directory, 'state', 'keys', `${name}.key`),
  );
  for (const key of keys) t.is(statSync(key).mode & 0o777, 0o600);
  t.is(statSync(join(directory, 'state')).mode & 0o777, 0o700);
  for (const folder of ['states', 'pillars', 'templates'])
    t.true(existsSync(join(directory, 'tree', folder)));
  const before = keys.map((key) => readFileSync(key, 'utf8'));
  const second = await commandLine(['init'], { directory });
  t.deepEqual(second, { code: 0, out: first.out, err: [] });
  t.deepEqual(
    keys.map((key) => readFileSync(key, 'utf8')),
    before,
  );
});

test('init works on when the root key has been taken offline', async (t) => {
  const directory = await initialized(t);
  rmSync(join(directory, 'state', 'keys', 'root.key'));
  t.is((await commandLine(['init'], { directory })).code, 0);
  t.false(existsSync(join(directory, 'state', 'keys', 'root.key')));
});

test('init copies a tree to start from, and leaves one that is there alone', async (t) => {
  const directory = emptyDirectory(t);
  const from = join(directory, 'from');
  for (const folder of ['states', 'pillars', 'templates'])
    mkdirSync(join(from, folder), { recursive: true });
  writeFileSync(join(from, 'states', 'top.yaml'), 'base: {}\n');
  await commandLine(['init', '--from', from], { directory });
  const top = join(directory, 'tree', 'states', 'top.yaml');
  t.is(readFileSync(top, 'utf8'), 'base: {}\n');
  writeFileSync(top, 'base: {"*": []}\n');
  await commandLine(['init', '--from', from], { directory });
  t.is(readFileSync(top, 'utf8'), 'base: {"*": []}\n');
});

test('keys that others can read stop everything', async (t) => {
  const directory = await initialized(t);
  const key = join(directory, 'state', 'keys', 'identity.key');
  chmodSync(key, 0o644);
  const { code, err } = await commandLine(['init'], { directory });
  t.is(code, 1);
  t.regex(err[0] ?? '', /identity\.key": its mode 0644 lets others in/u);
});

test('commands say that no master is there', async (t) => {
  const directory = await initialized(t);
  const { code, out, err } = await commandLine(['status'], { directory });
  t.deepEqual([code, out], [3, []]);
  t.regex(
    err[0] ?? '',
    /^error: Cannot reach the master at ".*": nothing listens there; is "master serve" running\? \(systemctl status conductor-master\)$/u,
  );
});

test('mistakes on the command line exit 1 with one message', async (t) => {
  const directory = emptyDirectory(t);
  const cases: [string[], RegExp][] = [
    [['aply'], /unknown command 'aply'[\s\S]*Did you mean apply/u],
    [['apply'], /required option '-t, --target <target>' not specified/u],
    [['apply', '-t', 'x', '--dryrun'], /unknown option '--dryrun'[\s\S]*--dry-run/u],
    [['apply', '-t', 'x', '--set', 'novalue'], /write NAME=VALUE/u],
    [['apply', '-t', 'x', '--timeout', 'soon'], /Cannot read --timeout "soon": write 90s/u],
    [['apply', '-t', 'x', '--timeout', '30d'], /Cannot read --timeout "30d": .* 7d at most/u],
    [['apply', '-t', 'x', '--output', 'xml'], /'--output <format>' argument 'xml' .*ndjson/u],
    [['apply', '--targt', 'x'], /unknown option '--targt'[\s\S]*--target/u],
    [['ping', '--targt', 'x'], /unknown option '--targt'/u],
    [['ping'], /required option '-t, --target <target>' not specified/u],
    [['jobs', 'list', '--limit', 'x'], /Cannot read --limit "x": write a number from 1 to 1000/u],
    [['jobs', 'list', '--limit', '1001'], /Cannot read --limit "1001"/u],
    [['jobs', 'list', '--kind', 'x'], /'--kind <kind>' argument 'x' .*refresh/u],
    [
      ['keys', 'invite', '--group', 'bad group'],
      /Cannot read --group "bad group": it is not a group/u,
    ],
    [
      ['keys', 'add', 'Web', 'a'.repeat(64)],
      /Cannot read the minion "Web": it is not a minion id/u,
    ],
    [['keys', 'add', 'web', 'short'], /Cannot read the public key "short": it is not .*64 hex/u],
    [['keys', 'accept'], /missing required argument 'minion'/u],
    [['new', 'eknight', 'x'], /--repo and --domain must be given/u],
    [
      ['new', 'eknight', 'Bad Name', '--repo', 'r', '--domain', 'd.org'],
      /name: must be a login name/u,
    ],
    ...['root', 'www-data', 'postgres', 'robot', 'sudo'].map((name): [string[], RegExp] => [
      ['new', 'eknight', name, '--repo', 'r', '--domain', 'd.org'],
      /name: is an account or a group of the system: take another/u,
    ]),
    [['docs', 'user.presnt'], /did you mean "user\.present"/u],
    [['lint', '--tree', '.', '--minion', 'x'], /--minion is for the tree of the master/u],
    [
      ['seal', '--key', 'nonsense'],
      /Cannot read --key: "nonsense" is no sealing key; "master seal --print-key"/u,
    ],
    [['status', '--config', '/nowhere/master.yaml'], /Cannot read "\/nowhere\/master\.yaml"/u],
  ];
  for (const [argv, message] of cases) {
    const { code, out, err } = await commandLine(argv, { directory });
    t.true(code === 1 || code === 4, `${argv.join(' ')}: ${code}`);
    t.deepEqual(out, []);
    t.regex(err.join('\n'), message);
  }
});

test('help shows examples and exit codes', async (t) => {
  const directory = emptyDirectory(t);
  const main = await commandLine(['--help'], { directory });
  t.is(main.code, 0);
  t.regex(main.out.join('\n'), /Exit codes:[\s\S]*4 {4}the tree does not compile/u);
  for (const command of [
    'init',
    'serve',
    'keys',
    'apply',
    'jobs',
    'status',
    'ping',
    'facts',
    'show',
    'lint',
    'seal',
    'docs',
  ]) {
    const { code, out } = await commandLine([command, '--help'], { directory });
    t.is(code, 0);
    t.regex(out.join('\n'), /Examples?:\n {2}/u, command);
  }
  t.deepEqual((await commandLine(['--version'], { directory })).out, [VERSION]);
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  t.is(manifest.version, VERSION);
});

test('a configuration with mistakes is refused with all of their places', async (t) => {
  const directory = emptyDirectory(t);
  const file = join(directory, 'master.yaml');
  writeFileSync(file, 'lisen: 1.2.3.4:1\nhistory:\n  days: many\ntls: {crt: /a, key: b}\n');
  mkdirSync(join(directory, 'master.d'));
  writeFileSync(join(directory, 'master.d', 'a.yaml'), 'socket: relative\n');
  writeFileSync(join(directory, 'master.d', 'b.yaml~'), 'nonsense: 1\n');
  const { code, err } = await commandLine(['status', '--config', file], { directory });
  t.is(code, 1);
  const text = err.join('\n');
  t.regex(text, /master\.yaml:1:1: unknown key "lisen", did you mean "listen"\?/u);
  t.regex(text, /master\.yaml:3:3: history\.days: /u);
  t.regex(text, /master\.yaml:4:7: unknown key "tls\.crt", did you mean "cert"\?/u);
  t.notRegex(text, /nonsense/u);
});

test('sealing needs the public key only, and what is sealed opens with the private one', async (t) => {
  const directory = await initialized(t);
  const { out } = await commandLine(['seal', '--print-key'], { directory });
  const key = out[0] ?? '';
  const elsewhere = emptyDirectory(t);
  const sealed = await commandLine(['seal', '--key', key], {
    directory: elsewhere,
    input: 'hunter2\n',
  });
  t.is(sealed.code, 0);
  const pair = sealingKey(
    await readKeyFile(join(directory, 'state', 'keys', 'sealing.key'), 'sealing'),
  );
  // What is printed follows a key of a pillar file as it is: without the tag it would be deployed sealed.
  const text = /^!sealed "([A-Za-z0-9+/=]+)"$/u.exec(sealed.out.join('\n'))?.[1] ?? '';
  t.is(open(pair, text), 'hunter2');
  const asJson = await commandLine(['seal', '--key', key, '--json'], {
    directory: elsewhere,
    input: 'hunter2',
  });
  t.is(open(pair, JSON.parse(asJson.out.join('')).sealed), 'hunter2');
  t.is((await commandLine(['seal'], { directory, input: '\n' })).code, 1);
  const without = await commandLine(['seal'], { directory: elsewhere, input: 'x' });
  t.regex(without.err[0] ?? '', /there is none; give it with --key/u);
});

const TREE_WITH_EKNIGHTS = {
  'pillars/top.yaml': 'base:\n  appserver: ["eknights.*"]\n',
  'states/top.yaml': 'base: {}\n',
};

function writeTree(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files))
    writeFileSync(join(directory, 'tree', path), text);
}

const MAKE = [
  'new',
  'eknight',
  'open-knesset',
  '--repo',
  'https://git.example.org/ok.git',
  '--domain',
  'ok.org',
];

test('a new eKnight is one pillar file with sealed secrets, which lints and is never overwritten', async (t) => {
  const directory = await initialized(t);
  writeTree(directory, TREE_WITH_EKNIGHTS);
  const { code, out, err } = await commandLine(MAKE, { directory });
  const path = join(directory, 'tree', 'pillars', 'eknights', 'open-knesset.yaml');
  t.deepEqual([code, out, err], [0, [`wrote ${path}`], []]);
  const text = readFileSync(path, 'utf8');
  t.regex(
    text,
    /^eknights:\n {2}open-knesset:\n {4}repo: "https:\/\/git\.example\.org\/ok\.git"\n/u,
  );
  t.regex(text, /ref: "main"\n.*domain: "ok\.org"\n.*project: "open_knesset"/u);
  t.regex(text, /engine: postgres\n {6}password: !sealed "[A-Za-z0-9+/=]{100,}"/u);
  const again = await commandLine(MAKE, { directory });
  t.is(again.code, 1);
  t.regex(again.err[0] ?? '', /is there already/u);
  t.is(readFileSync(path, 'utf8'), text);
});

test('an eKnight that no app server would see says what to add', async (t) => {
  const directory = await initialized(t);
  writeTree(directory, { ...TREE_WITH_EKNIGHTS, 'pillars/top.yaml': 'base: {}\n' });
  const { code, err } = await commandLine([...MAKE, '--database', 'none'], { directory });
  t.is(code, 0);
  t.regex(err.join('\n'), /pillars\/top\.yaml:\n {2}appserver: \["eknights\.\*"\]/u);
});

test('a new eKnight that would break the tree is not written', async (t) => {
  const directory = await initialized(t);
  writeTree(directory, { ...TREE_WITH_EKNIGHTS, 'states/top.yaml': 'base:\n  "*": [missing]\n' });
  const { code, err } = await commandLine(MAKE, { directory });
  t.is(code, 4);
  t.regex(err.join('\n'), /states\/top\.yaml:2:9/u);
  t.false(existsSync(join(directory, 'tree', 'pillars', 'eknights', 'open-knesset.yaml')));
});

test('questions are asked only on a terminal, and hostile answers refused', async (t) => {
  const directory = await initialized(t);
  writeTree(directory, TREE_WITH_EKNIGHTS);
  const answers = ['https://git.example.org/a.git', '', 'a.org', 'none'];
  const asked = await commandLine(['new', 'eknight', 'a'], {
    directory,
    answers,
    isTerminal: true,
  });
  t.is(asked.code, 0, asked.err.join('\n'));
  t.is(asked.out.filter((line) => line.endsWith('?') || line.endsWith(']')).length, 4);
  const hostile = ['--repo', '--upload-pack=evil', '--domain', 'b.org'];
  for (const repo of [
    ['--repo=--upload-pack=evil'],
    ['--repo', 'x{{ pillar.secret }}'],
    ['--repo', 'a"b'],
  ]) {
    const { code, err } = await commandLine(['new', 'eknight', 'b', ...repo, ...hostile.slice(2)], {
      directory,
    });
    t.is(code, 1);
    t.regex(err[0] ?? '', /repo: must be one word/u);
  }
});

test('the manual of every state type can be printed', async (t) => {
  const directory = emptyDirectory(t);
  const list = await commandLine(['docs'], { directory });
  t.is(list.code, 0);
  t.true(list.out.length > 20);
  t.is(list.out[0], 'TYPE\tWHAT IT DOES');
  for (const line of list.out.slice(1)) {
    const [type = '', description = ''] = line.split('\t');
    t.not(description, '', type);
    const page = await commandLine(['docs', type], { directory });
    t.is(page.code, 0, type);
    t.regex(page.out.join('\n'), /name \([\s\S]*Example:\n/u, type);
  }
});

test('the manual lists modules, finds words, and tells what every state takes', async (t) => {
  const directory = emptyDirectory(t);
  const [head, ...file] = (await commandLine(['docs', 'file'], { directory })).out;
  t.is(head, 'TYPE\tWHAT IT DOES');
  t.true(file.length > 3 && file.every((line) => line.startsWith('file.')));
  const family = (await commandLine(['docs', 'postgres'], { directory })).out.join('\n');
  t.regex(family, /^postgres_user\.present\t/mu, 'modules that begin with the word');
  t.regex(family, /^postgres_hba\.rule\t/mu);

  const found = await commandLine(['docs', '--search', 'symbolic link that points'], { directory });
  t.true(found.out.some((line) => line.startsWith('file.symlink\t')));
  const none = await commandLine(['docs', '--search', 'flux capacitor'], { directory });
  t.deepEqual([none.code, none.out], [1, []]);
  const common = await commandLine(['docs', 'common'], { directory });
  t.true(common.out.includes('  onchanges_in'));
  const [page = ''] = (await commandLine(['docs', 'file.managed', '--json'], { directory })).out;
  t.like(JSON.parse(page), { name: 'file.managed' });
  const symlink = (await commandLine(['docs', 'file.symlink'], { directory })).out.join('\n');
  t.regex(symlink, /^ {2}target \(text, required\)$/mu);
  t.regex(symlink, /^ {2}makedirs \(true or false, default false\)$/mu);
  t.true(symlink.split('\n').every((line) => line.length < 100));
});

test('schemas for editors are printed', async (t) => {
  const directory = emptyDirectory(t);
  for (const kind of ['states', 'top', 'pillar', 'pillar-top']) {
    const { code, out } = await commandLine(['schema', kind], { directory });
    t.is(code, 0);
    t.like(JSON.parse(out.join('\n')), { $schema: 'http://json-schema.org/draft-07/schema#' });
  }
  const wrong = await commandLine(['schema', 'state'], { directory });
  t.not(wrong.code, 0);
  t.regex(wrong.err.join('\n'), /did you mean "states"/u);
});

test('the schema of state files has the state types of a tree, if that is named', async (t) => {
  const directory = await initialized(t);
  const tree = join(directory, 'tree');
  mkdirSync(join(tree, 'states/_types/lib'), { recursive: true });
  writeTree(directory, {
    'states/_types/motd.ts': readFileSync('test/state-types/_types/motd.ts', 'utf8'),
    'states/_types/lib/motd.ts': readFileSync('test/state-types/_types/lib/motd.ts', 'utf8'),
  });
  const schema = ['schema', 'states'];
  const { out } = await commandLine([...schema, '--tree', tree], { directory });
  const { definitions } = JSON.parse(out.join('\n'));
  t.true('text' in definitions['motd.present'].properties);
  t.truthy(definitions['file.managed']);
  const shipped = JSON.parse((await commandLine(schema, { directory })).out.join('\n'));
  t.is(shipped.definitions['motd.present'], undefined);
  writeTree(directory, { 'states/_types/motd.ts': 'process.exit(3);\n' });
  const broken = await commandLine([...schema, '--tree', tree], { directory });
  t.is(broken.code, 4);
});

test('lint finds mistakes in a directory without any master', async (t) => {
  const directory = await initialized(t);
  writeTree(directory, {
    'states/top.yaml': 'base:\n  "*": [a]\n',
    'states/a.yaml': 'x:\n  user.presnt: {}\n',
  });
  const { code, out, err } = await commandLine(['lint'], { directory });
  t.deepEqual([code, out], [4, []]);
  t.regex(err.join('\n'), /states\/a\.yaml:2:3: [\s\S]*user\.present/u);
  writeTree(directory, { 'states/a.yaml': 'x:\n  user.present: {}\n' });
  t.deepEqual(await commandLine(['lint'], { directory }), {
    code: 0,
    out: ['no problems'],
    err: [],
  });
});

test('lint of a directory that is no tree is a mistake', async (t) => {
  const directory = await initialized(t);
  const { code, out, err } = await commandLine(['lint', '--tree', emptyDirectory(t)], {
    directory,
  });
  t.deepEqual([code, out], [4, []]);
  t.regex(err.join('\n'), /Cannot lint ".+": there is no states\/ in it/u);
});

const SECRET_TREE = (sealed: string) => ({
  'states/top.yaml': 'base:\n  "*": [notes]\n',
  'states/notes.yaml':
    'hello:\n  note.present:\n    text: "{{ pillar.app.greeting }} on {{ facts.os }}"\n    password: "{{ pillar.app.password }}"\n',
  'pillars/top.yaml': 'base:\n  "*": [common, more]\n',
  'pillars/common.yaml': `app:\n  greeting: hi\n  password: ${sealed}\n`,
  'pillars/more.yaml': 'app:\n  greeting: good morning\n',
});

test('pillar and catalog are shown with secrets masked, and where values come from', async (t) => {
  const on = await testMaster(t);
  const sealed =
    (await commandLine(['seal'], { directory: on.directory, input: 'hunter2' })).out[0] ?? '';
  on.write(SECRET_TREE(sealed));
  await acceptedMinion(t, on, { id: 'web-01' });

  const pillar = await on.cli('pillar', 'show', 'web-01');
  t.is(pillar.code, 0, pillar.err.join('\n'));
  t.regex(pillar.out.join('\n'), /greeting: good morning\n {2}password: "?secret\([0-9a-f]{4}\)/u);
  const revealed = await on.cli('pillar', 'show', 'web-01', '--reveal', '--json');
  t.is(JSON.parse(revealed.out.join('')).app.password, 'hunter2');

  const why = await on.cli('pillar', 'show', 'web-01', '--why', 'app.greeting');
  t.deepEqual(why.out, [
    'app.greeting: good morning',
    '  set at pillars/more.yaml:2:13',
    '  beat   pillars/common.yaml:2:13',
  ]);
  const wrong = await on.cli('pillar', 'show', 'web-01', '--why', 'app.greting');
  t.regex(wrong.err[0] ?? '', /did you mean "app\.greeting"/u);

  const show = await on.cli('show', 'web-01', '--verbose');
  t.is(show.code, 0, show.err.join('\n'));
  t.deepEqual(show.out.slice(0, 3), [
    'note.present  hello  states/notes.yaml:2:3',
    '    name: hello',
    '    text: good morning on Debian',
  ]);
  t.notRegex([...show.out, ...pillar.out, ...on.log].join('\n'), /hunter2/u);
  t.is((await on.cli('lint', '--minion', 'web-01')).code, 0);
  t.regex(
    (await on.cli('facts', 'web-02')).err[0] ?? '',
    /no minion has that id, did you mean "web-01"/u,
  );
});

test('lint for a minion finds what only its facts bring out', async (t) => {
  const on = await testMaster(t, {
    'states/top.yaml': 'base:\n  "*": [notes]\n',
    'states/notes.yaml': 'hello:\n  note.present:\n    text: "{{ facts.nothing }}"\n',
  });
  await acceptedMinion(t, on, { id: 'web-01' });
  const { code, err } = await on.cli('lint', '--minion', 'web-01');
  t.is(code, 4);
  t.regex(err.join('\n'), /states\/notes\.yaml:3:/u);
});

test('lint finds what is wrong only in the pillars as they come out for minions', async (t) => {
  const on = await testMaster(t, {
    'states/top.yaml': 'base:\n  "*": []\n',
    'pillars/top.yaml': 'base:\n  "*": [common]\n  web: [web]\n',
    'pillars/common.yaml': 'greeting: good morning\n',
    'pillars/web.yaml': 'schedule: {at: "{{ pillar.greeting }}"}\n',
  });
  t.is((await on.cli('lint')).code, 0, 'it is for nobody');
  await acceptedMinion(t, on, { id: 'db-01', seed: 44 });
  await acceptedMinion(t, on, { id: 'web-01', groups: ['web'] });
  const { code, err } = await on.cli('lint');
  t.is(code, 4);
  t.regex(
    err.join('\n'),
    /pillars\/web\.yaml:1:16: schedule\.at: "good morning" is no time of day[^]*1 problem in the pillar of web-01$/u,
  );
  t.is((await on.cli('lint', '--tree', on.tree)).code, 0, 'of which nobody says whose it is');
});

test('lint for a minion that no line of the top file is for says so, as its run would', async (t) => {
  const on = await testMaster(t, {
    'states/top.yaml': 'base:\n  web: [notes]\n  db-01: []\n',
    'states/notes.yaml': 'hello:\n  note.present: {text: a}\n',
  });
  await acceptedMinion(t, on, { id: 'web-01', groups: ['wbe'] });
  const { code, err } = await on.cli('lint', '--minion', 'web-01');
  t.is(code, 5);
  t.regex(err.join('\n'), /no line of states\/top\.yaml is for it \(it is in wbe\)/u);
  await acceptedMinion(t, on, { id: 'db-01', seed: 44 });
  t.is((await on.cli('lint', '--minion', 'db-01')).code, 0, 'it is meant to get nothing');
});

/** Of the seed that the protocol's known answers are made with. */
const PUBLIC_KEY = '17cb79fb2b4120f2b1ec65e4198d6e08b28e813feb01e4a400839b85e18080ce';

test('a group that nothing knows is warned of, and given all the same', async (t) => {
  const on = await testMaster(t, {
    'states/top.yaml': 'base:\n  "*": [notes]\n  web and not old: [notes]\n',
    'states/notes.yaml': 'hello:\n  note.present: {text: a}\n',
  });
  await acceptedMinion(t, on, { id: 'db-01', seed: 44, groups: ['database'] });
  const flags = ['-g', 'web', '-g', 'database', '-g', 'databse'];
  const warning =
    'warning: no top file names the group "databse", and no other minion is in it, did you mean "database"?';
  const added = await on.cli('keys', 'add', 'web-01', PUBLIC_KEY, ...flags);
  t.is(added.code, 0);
  t.deepEqual(added.err, [warning]);
  t.is(added.out[0], 'web-01: accepted (web, database, databse)');
  const invited = await on.cli('keys', 'invite', '--id', 'web-02', '-g', 'databse2', '--json');
  t.deepEqual(JSON.parse(invited.out.join('\n')).warnings.length, 1);
  const { fingerprint } = JSON.parse((await on.cli('keys', 'list', '--json')).out.join('\n'))
    .keys[1];
  const kept = await on.cli('keys', 'accept', 'web-01', fingerprint, '-g', 'databse', '--json');
  t.regex(kept.err.join('\n'), /no top file names the group "databse"/u);
  t.deepEqual((await on.cli('keys', 'accept', 'web-01', fingerprint, '-g', 'web')).err, []);
});

test('accepting without a fingerprint shows it and asks, and takes a no for a no', async (t) => {
  const on = await testMaster(t);
  await testMinion(t, on, { id: 'web-01' });
  const refused = await on.cli('keys', 'accept', 'web-01');
  t.is(refused.code, 1);
  t.regex(refused.err[0] ?? '', /give its fingerprint, cdr1:/u);
  const no = await commandLine(['keys', 'accept', 'web-01'], {
    directory: on.directory,
    answers: ['n'],
  });
  t.is(no.code, 130);
  const yes = await commandLine(['keys', 'accept', 'web-01', '-g', 'web'], {
    directory: on.directory,
    answers: ['y'],
  });
  t.is(yes.out.at(-1), 'web-01: accepted (web)');
  t.is((await on.cli('keys', 'accept', 'web-01', '-g', 'db')).out[0], 'web-01: accepted (db)');
});

test('a key can be given beforehand, and forgotten', async (t) => {
  const on = await testMaster(t);
  const publicKey = '17cb79fb2b4120f2b1ec65e4198d6e08b28e813feb01e4a400839b85e18080ce';
  t.is(
    (await on.cli('keys', 'add', 'web-01', publicKey, '-g', 'web')).out[0],
    'web-01: accepted (web)',
  );
  t.is((await on.cli('keys', 'add', 'web-01', publicKey)).code, 1);
  t.is((await on.cli('keys', 'add', 'Web', publicKey)).code, 1);
  t.is((await on.cli('keys', 'add', 'web-02', 'short')).code, 1);
  t.regex(
    (await on.cli('keys', 'list')).out[1] ?? '',
    /^web-01\taccepted\tweb\tcdr1:[a-z2-7]{52}\t-\t/u,
  );
  t.is((await on.cli('keys', 'delete', 'web-01')).code, 0);
  t.is((await on.cli('keys', 'delete', 'web-01')).code, 1);
});
