import test from 'ava';
import { fileAbsent } from '../../../minion/state-types/files/file-absent.ts';
import { fileDirectory } from '../../../minion/state-types/files/file-directory.ts';
import { fileManaged } from '../../../minion/state-types/files/file-managed.ts';
import { fileSymlink } from '../../../minion/state-types/files/file-symlink.ts';
import { fileMode } from '../../../minion/state-types/lib/fields.ts';
import { checkContent } from '../../../minion/state-types/files/lib/file-safety.ts';
import { findDigest, parseDigest } from '../../../minion/state-types/files/lib/hashes.ts';
import { sha256 } from '../../helpers/sha256.ts';
import { converge, dryRun, forReal } from '../../helpers/converge.ts';
import type { Argv, CommandOptions } from '../../../minion/host/host.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import type { Call, FakeHost } from '../../helpers/fake-host.ts';

const OLD = {
  files: { '/etc/motd': 'old\n' },
  statuses: { '/etc': { kind: 'directory' } },
} as const;

function treeFile(content: string | Uint8Array) {
  const bytes = Buffer.from(content);
  return { path: 'templates/x', sha256: sha256(bytes), read: () => bytes };
}

test('a bare number, a number with a zero before it and a text are the same file mode', (t) => {
  for (const mode of [644, '644', '0644']) t.is(fileMode.parse(mode), '0644');
  t.is(fileMode.parse('2755'), '2755');
  for (const mode of [888, '1', 'u=rwx', '02755x', -1, 6.44, '12345'])
    t.false(fileMode.safeParse(mode).success, String(mode));
});

test('a file is replaced when its content differs, and only owned when that is all', async (t) => {
  const host = fakeHost(OLD);
  const made = await converge(fileManaged, { name: '/etc/motd', contents: 'new' }, host, forReal);
  t.like(made, { status: 'changed', change: { action: 'update', to: { content: 'new\n' } } });
  t.is(host.text('/etc/motd'), 'new\n');
  const owned = await converge(fileManaged, { name: '/etc/motd', mode: 600 }, host, forReal);
  t.like(owned, { change: { to: { mode: '0600' } } });
  t.deepEqual(host.ran, ['writeFile /etc/motd', 'own /etc/motd : 0600']);
});

test('a dry run of a file tells the difference and touches nothing', async (t) => {
  const host = fakeHost(OLD);
  const args = { name: '/etc/motd', contents: ['a', 'b'], backup: true };
  t.like(await converge(fileManaged, args, host, dryRun), { status: 'would-change' });
  t.deepEqual(host.ran, []);
});

/** A host whose programs all exit with this, and what they were asked. */
function judging(exitCode: number): { host: FakeHost; asked: Call[] } {
  const asked: Call[] = [];
  const host = {
    ...fakeHost(OLD),
    query: async (argv: Argv, options: CommandOptions = {}) => {
      const asksMarks = argv[0] === 'lsattr';
      if (!asksMarks) asked.push({ argv, options });
      const stdout = asksMarks ? '' : 'staged\n';
      return { exitCode, stdout, stderr: 'bad', raw: new Uint8Array() };
    },
  };
  return { host, asked };
}

test('a plan asks the check_cmd, once, and so does a run', async (t) => {
  const args = { name: '/etc/motd', contents: 'b', check_cmd: 'check' };
  for (const options of [dryRun, forReal]) {
    const { host, asked } = judging(0);
    t.regex((await converge(fileManaged, args, host, options)).status, /change/);
    t.is(asked.length, 1);
    const bad = judging(1).host;
    await t.throwsAsync(converge(fileManaged, args, bad, options), { code: 'CHECK_FAILED' });
    t.is(bad.text('/etc/motd'), 'old\n');
  }
});

test('a dry run says that an owner is not there; a number needs no name', async (t) => {
  const args = { name: '/etc/motd', contents: 'new' };
  const planned = (owner: object) =>
    converge(fileManaged, { ...args, ...owner }, fakeHost(OLD), dryRun);
  await t.throwsAsync(planned({ user: 'bob' }), { message: /there is no user "bob"$/ });
  await t.throwsAsync(planned({ group: 'bobs' }), { message: /there is no group "bobs"$/ });
  t.like(await planned({ user: 12_345, group: 'root' }), { status: 'would-change' });
});

test('a check_cmd gets its line by standard input, so a secret in it never stands in an argument', async (t) => {
  const { host, asked } = judging(1);
  const args = { name: '/etc/motd', check_cmd: 'check --token hunter2' };
  await t.throwsAsync(checkContent(args, Buffer.from('x'), host), { code: 'CHECK_FAILED' });
  t.deepEqual(
    asked.map(({ options }) => String(options.input)),
    ['xcheck --token hunter2 "$1"\n'],
  );
  t.notRegex(asked.map(({ argv }) => argv.join(' ')).join('\n'), /hunter2/);
});

test('declaring what was read of a file is unchanged', async (t) => {
  const host = fakeHost(OLD);
  const args = fileManaged.schema.parse({ name: '/etc/motd', contents: 'x' });
  const { content, ...owners } = (await fileManaged.read(args, host)) ?? {};
  const declared = { name: '/etc/motd', contents: content, ...owners };
  t.deepEqual(await converge(fileManaged, declared, host, forReal), { status: 'unchanged' });
});

test('a directory is asked once for its marks, whatever number of files comes into it', async (t) => {
  const statuses = { '/': { kind: 'directory' }, '/srv': { kind: 'directory' } } as const;
  const host = fakeHost({ statuses, commands: { 'lsattr -d -- /srv': '--------- /srv\n' } });
  for (const name of ['/srv/a', '/srv/b', '/srv/c'])
    await converge(fileManaged, { name, contents: 'x' }, host, forReal);
  t.is(host.queries.filter(({ argv }) => argv[0] === 'lsattr').length, 1);
  t.is(host.text('/srv/c'), 'x\n');
});

test('binary content and content that is not to be shown are compared by digest', async (t) => {
  const binary = { name: '/etc/motd', source: treeFile(Uint8Array.of(0, 255, 1)) };
  t.like(await converge(fileManaged, binary, fakeHost(OLD), dryRun), {
    change: { to: { digest: sha256(Buffer.from([0, 255, 1])), content: undefined } },
  });
  const hidden = { name: '/etc/motd', contents: 'password', show_changes: false };
  const planned = await converge(fileManaged, hidden, fakeHost(OLD), dryRun);
  t.notRegex(JSON.stringify(planned), /password|old/);
});

test('a file of the tree is written as it is', async (t) => {
  const host = fakeHost(OLD);
  await converge(fileManaged, { name: '/etc/motd', source: treeFile('x') }, host, forReal);
  t.is(host.text('/etc/motd'), 'x');
});

function mistakesIn(args: object): string[] {
  const { error } = fileManaged.schema.safeParse({ name: '/x', ...args });
  return (error?.issues ?? []).map(({ message }) => message);
}

test('a file has one origin, and a download a digest', (t) => {
  t.deepEqual(mistakesIn({ contents: 'x', source: '/y' }), [
    'a file has either `source`, `contents` or `contents_pillar`',
  ]);
  t.deepEqual(mistakesIn({ source: 'https://x/y' }), [
    'a download needs a `source_hash` (or skip_verify: true)',
  ]);
  t.deepEqual(mistakesIn({ source: 'https://x/y', source_hash: 'a'.repeat(64) }), []);
  t.deepEqual(mistakesIn({ source: 'https://x/y', skip_verify: true }), []);
});

test('a download that is not what it should be is not put in place', async (t) => {
  const host = fakeHost({ ...OLD, http: { 'http://x/y': { body: Buffer.from('evil') } } });
  const args = {
    name: '/etc/motd',
    source: 'http://x/y',
    source_hash: sha256(Buffer.from('good')),
  };
  await t.throwsAsync(converge(fileManaged, args, host, forReal), {
    code: 'SOURCE_MISSING',
    message: /^Cannot use "http:\/\/x\/y": what was downloaded has sha256=/,
  });
  t.deepEqual(host.ran, []);
});

test('a download follows redirects, but never away from https', async (t) => {
  const answers = {
    'https://x/a': { status: 302, headers: { location: '/b' } },
    'https://x/b': { body: Buffer.from('good') },
    'https://x/c': { status: 302, headers: { location: 'http://x/b' } },
  };
  const args = { name: '/etc/motd', source: 'https://x/a', skip_verify: true };
  const host = fakeHost({ ...OLD, http: answers });
  await converge(fileManaged, args, host, forReal);
  t.is(host.text('/etc/motd'), 'good');
  const away = converge(
    fileManaged,
    { ...args, source: 'https://x/c' },
    fakeHost({ ...OLD, http: answers }),
    forReal,
  );
  await t.throwsAsync(away, {
    message: 'Cannot download "https://x/c": it redirects from https to something else',
  });
});

test('a download names no password in its errors', async (t) => {
  const args = { name: '/etc/motd', source: 'https://me:hunter2@x/y', skip_verify: true };
  await t.throwsAsync(converge(fileManaged, args, fakeHost(OLD), forReal), {
    message: 'Cannot download "https://x/y": nothing answers',
  });
});

test('a symbolic link of somebody else is not followed', async (t) => {
  const links = { links: { '/home/bob/x': '/etc/motd' }, files: OLD.files };
  const args = { name: '/home/bob/x', contents: 'new' };
  const theirs = fakeHost({ ...links, statuses: { '/home/bob/x': { uid: 1000, user: 'bob' } } });
  await t.throwsAsync(converge(fileManaged, args, theirs, forReal), {
    message: /a symbolic link of "bob" stands there/,
  });
  const own = fakeHost({ ...links, statuses: { '/etc': { kind: 'directory' } } });
  await converge(fileManaged, args, own, forReal);
  t.is(own.text('/etc/motd'), 'new\n');
});

test('a directory that is not asked to make those above it says so', async (t) => {
  const refused = converge(fileDirectory, { name: '/srv/a/b' }, fakeHost(), forReal);
  await t.throwsAsync(refused, {
    message: 'Cannot make "/srv/a/b": its directory does not exist (makedirs: true makes it)',
  });
  const host = fakeHost({ statuses: { '/srv': { kind: 'directory' } } });
  const args = { name: '/srv/a/b/', makedirs: true, mode: 2750 };
  await converge(fileDirectory, args, host, forReal);
  t.deepEqual(host.ran, ['makeDirectory /srv/a', 'makeDirectory /srv/a/b']);
});

function isDirectory(args: object): boolean {
  return fileDirectory.schema.safeParse({ name: '/x', ...args }).success;
}

test('a directory does not speak of what it is not given', (t) => {
  t.false(isDirectory({ recurse: ['user'] }));
  t.false(isDirectory({ recurse: ['mode'] }));
  t.false(isDirectory({ mode: 755, dir_mode: 750 }));
  t.true(isDirectory({ mode: 755, dir_mode: 755 }));
  t.true(isDirectory({ recurse: ['user', 'mode'], user: 'bob', file_mode: 644 }));
});

test('a symbolic link replaces another one, and other things only if it is told to', async (t) => {
  const args = { name: '/srv/current', target: 'v2' };
  const srv = { kind: 'directory' } as const;
  const link = fakeHost({ links: { '/srv/current': 'v1' }, statuses: { '/srv': srv } });
  t.like(await converge(fileSymlink, args, link, forReal), { change: { to: { target: 'v2' } } });
  const directory = { statuses: { '/srv': srv, '/srv/current': srv } };
  await t.throwsAsync(converge(fileSymlink, args, fakeHost(directory), dryRun), {
    message: 'Cannot make "/srv/current" a symbolic link: a directory stands there',
  });
  const host = fakeHost(directory);
  await converge(fileSymlink, { ...args, backupname: '/srv/old' }, host, forReal);
  t.deepEqual(host.ran, ['rename /srv/current /srv/old', 'link /srv/current -> v2']);
});

test('what a host cannot do without is never absent', (t) => {
  for (const name of ['/', '/etc', '/usr/', '/home/../var', 'relative'])
    t.false(fileAbsent.schema.safeParse({ name }).success, name);
  t.true(fileAbsent.schema.safeParse({ name: '/etc/nginx' }).success);
});

test('digests are read in every form in which they are written', (t) => {
  const hex = 'AB'.repeat(32);
  for (const text of [hex, `sha256=${hex}`, `SHA256:${hex}`])
    t.deepEqual(parseDigest(text), { algorithm: 'sha256', hex: hex.toLowerCase() });
  t.is(parseDigest(`md5=${hex}`), null);
  t.is(parseDigest('abc'), null);
  const [one, two] = ['1'.repeat(64), '2'.repeat(64)];
  const sums = `# sums\n${one}  a.tar\n${two} *dir/b.tar\n`;
  t.is(findDigest(sums, ['b.tar'])?.hex, two);
  t.is(findDigest(sums, ['c.tar']), null);
  t.is(findDigest(`${one}\n`, ['c.tar'])?.hex, one);
});
