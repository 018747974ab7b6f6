import test from 'ava';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { hardLink, link, own, ownIn, rename } from '../../../minion/host/change-files.ts';
import { atRestKey, createAtRest } from '../../../minion/host/at-rest.ts';
import {
  corruptIn,
  keepCopy,
  readStored,
  setAside,
  writeDurably,
} from '../../../minion/host/durable-file.ts';
import { nodeCrypto } from '../../../protocol/node-crypto.ts';
import { fileError, shortage } from '../../../minion/host/file-error.ts';
import { makeDirectories, makeDirectory } from '../../../minion/host/make-directory.ts';
import { ownerOf } from '../../../minion/host/ownership.ts';
import type { Owner } from '../../../minion/host/ownership.ts';
import { list, readFile, readLink, status } from '../../../minion/host/read-files.ts';
import { openRegistry } from '../../../minion/host/registry.ts';
import { remove } from '../../../minion/host/remove.ts';
import { atPath } from '../../../minion/host/safe-path.ts';
import { walk } from '../../../minion/host/walk.ts';
import { writeFile } from '../../../minion/host/write-file.ts';
import { batchesOf, writeTogether } from '../../../minion/host/write-files.ts';

const NOBODY = 65534;
const KEEP = { uid: null, gid: null, mode: null };
const NAMES = { users: new Map([[0, 'root']]), groups: new Map([[0, 'root']]) };
const asRoot = process.geteuid?.() === 0 ? test : test.skip;

/** A directory that only root can change, as `/etc` is. */
function directory(): string {
  return mkdtempSync(join('/var/lib', 'conductor-files-'));
}

/** A directory of somebody whom nobody trusts. */
function foreignDirectory(): string {
  const path = directory();
  chmodSync(path, 0o755);
  const home = join(path, 'home');
  mkdirSync(home);
  chownSync(home, NOBODY, NOBODY);
  return home;
}

const made: string[] = [];
test.after.always(() => {
  for (const name of readdirSync('/var/lib')) {
    if (name.startsWith('conductor-files-')) made.push(join('/var/lib', name));
  }
  for (const path of made) execFileSync('rm', ['-rf', path]);
});

function modeOf(path: string): string {
  return (lstatSync(path).mode & 0o7777).toString(8);
}

// Writing

asRoot('writes a new file as root, 0644, and leaves nothing else', (t) => {
  const path = join(directory(), 'motd');
  writeFile(path, 'hello\n', KEEP);
  t.is(readFileSync(path, 'utf8'), 'hello\n');
  t.is(modeOf(path), '644');
  t.deepEqual(readdirSync(join(path, '..')), ['motd']);
});

asRoot('replaces a file as another one, and keeps owner and mode that are not said', (t) => {
  const path = join(directory(), 'settings');
  writeFileSync(path, 'old', { mode: 0o640 });
  chownSync(path, NOBODY, NOBODY);
  const before = statSync(path).ino;
  writeFile(path, 'new', KEEP);
  const { ino, uid, gid } = statSync(path);
  t.not(ino, before);
  t.deepEqual([uid, gid, modeOf(path)], [NOBODY, NOBODY, '640']);
  writeFile(path, 'newer', { uid: 0, gid: null, mode: 0o4711 });
  t.deepEqual([statSync(path).uid, modeOf(path)], [0, '4711']);
});

asRoot('clears what a killed run has left behind', (t) => {
  const place = directory();
  writeFileSync(join(place, '.motd.conductor'), 'half');
  writeFile(join(place, 'motd'), 'whole', KEEP);
  t.deepEqual(readdirSync(place), ['motd']);
});

asRoot('a reader never finds a wider mode or a part of a file', async (t) => {
  const place = directory();
  const path = join(place, 'secret');
  writeFile(path, 'x'.repeat(1 << 20), { ...KEEP, mode: 0o600 });
  const script = `
    const fs = require('fs');
    let bad = 0, seen = 0;
    const end = Date.now() + 700;
    while (Date.now() < end) for (const name of fs.readdirSync(${JSON.stringify(place)})) {
      try {
        const { mode, size } = fs.statSync(${JSON.stringify(place)} + '/' + name);
        seen += 1;
        if (mode & 0o077) bad += 1;
        if (name === 'secret' && size !== 1 << 20) bad += 1;
      } catch (error) { if (error.code !== 'ENOENT') bad += 1; }
    }
    console.log(JSON.stringify({ bad, looked: seen > 10 }));`;
  const watcher = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: Buffer[] = [];
  watcher.stdout.on('data', (piece: Buffer) => said.push(piece));
  const ended = new Promise((resolve) => {
    watcher.once('close', resolve);
  });
  const isRunning = () => watcher.exitCode === null;
  while (isRunning()) {
    writeFile(path, 'y'.repeat(1 << 20), { ...KEEP, mode: 0o600 });
    await new Promise(setImmediate);
  }
  await ended;
  t.deepEqual(JSON.parse(Buffer.concat(said).toString()), { bad: 0, looked: true });
});

asRoot('refuses what is no plain file', (t) => {
  const place = directory();
  mkdirSync(join(place, 'directory'));
  symlinkSync('/etc/passwd', join(place, 'symlink'));
  writeFileSync(join(place, 'twin'), '');
  linkSync(join(place, 'twin'), join(place, 'hardlink'));
  execFileSync('mkfifo', [join(place, 'fifo')]);
  for (const name of ['directory', 'symlink', 'hardlink', 'fifo']) {
    t.throws(() => writeFile(join(place, name), 'x', KEEP), { code: 'HOST_FILE_FAILED' }, name);
  }
  t.throws(() => writeFile('relative', 'x', KEEP), { message: /not an absolute path/u });
  t.throws(() => writeFile(`${place}/../x`, 'x', KEEP), { message: /holds "\.\."/u });
  t.throws(() => writeFile('/', 'x', KEEP), { message: /the root directory/u });
  t.throws(() => writeFile(join(place, 'none', 'x'), 'x', KEEP), {
    message: /a directory on the way to it does not exist/u,
  });
  t.throws(() => writeFile(join(place, 'twin', 'x'), 'x', KEEP), {
    message: /something on the way to it is not a directory/u,
  });
});

/** The path of a compiled module, as a literal for a script. */
function module(name: string): string {
  return JSON.stringify(fileURLToPath(new URL(`../../../minion/host/${name}.js`, import.meta.url)));
}

asRoot('a full disk is one clear error, and the old file stays', (t) => {
  const place = directory();
  const script = `
    import { writeFile } from ${module('write-file')};
    import { writeDurably } from ${module('durable-file')};
    import { readFileSync, readdirSync } from 'node:fs';
    const keep = { uid: null, gid: null, mode: null };
    const said = [];
    for (const write of [(p, c) => writeFile(p, c, keep), writeDurably]) {
      const path = ${JSON.stringify(place)} + '/file';
      write(path, 'old');
      try { write(path, 'x'.repeat(1 << 20)); } catch (error) { said.push(error.code, error.message); }
      said.push(readFileSync(path, 'utf8'));
    }
    console.log(JSON.stringify({ said, left: readdirSync(${JSON.stringify(place)}) }));`;
  const line = `mount -t tmpfs -o size=64k tmpfs "$0" && exec "$1" --input-type=module -e "$2"`;
  const out = execFileSync('unshare', [
    '--mount',
    'sh',
    '-c',
    line,
    place,
    process.execPath,
    script,
  ]);
  const full = ['HOST_FILE_FAILED', `Cannot write "${place}/file": the disk is full`, 'old'];
  t.like(JSON.parse(out.toString()), { said: [...full, ...full] });
  t.deepEqual(JSON.parse(out.toString()).left, ['file']);
});

// The way there

asRoot('follows symbolic links that only root can have made', (t) => {
  const place = directory();
  mkdirSync(join(place, 'real'));
  symlinkSync('real', join(place, 'relative'));
  symlinkSync(join(place, 'relative'), join(place, 'absolute'));
  writeFile(join(place, 'absolute', 'file'), 'x', KEEP);
  t.is(readFileSync(join(place, 'real', 'file'), 'utf8'), 'x');
  symlinkSync('loop', join(place, 'loop'));
  t.throws(() => writeFile(join(place, 'loop', 'file'), 'x', KEEP), {
    message: /too many symbolic links/u,
  });
});

asRoot('refuses symbolic links that others can change, anywhere on the way', (t) => {
  const home = foreignDirectory();
  const target = directory();
  symlinkSync(target, join(home, 'link'));
  for (const act of [
    () => writeFile(join(home, 'link', 'file'), 'x', KEEP),
    () => makeDirectory(join(home, 'link', 'made'), KEEP),
    () => remove(join(home, 'link', 'file')),
    () => own(join(home, 'link', 'file'), { ...KEEP, uid: NOBODY }),
    () => link(join(home, 'link', 'to'), '/', KEEP),
  ]) {
    writeFileSync(join(target, 'file'), 'safe');
    t.throws(act, { message: /"link" on the way is a symbolic link that others can change/u });
    t.is(readFileSync(join(target, 'file'), 'utf8'), 'safe');
  }
  // Also where a trusted link leads to an untrusted place.
  symlinkSync(join(home, 'link'), join(target, 'trusted'));
  t.throws(() => writeFile(join(target, 'trusted', 'file'), 'x', KEEP), { message: /others can/u });
});

asRoot('writes below a home that its user owns', (t) => {
  const home = foreignDirectory();
  makeDirectory(join(home, '.ssh'), { uid: NOBODY, gid: NOBODY, mode: 0o700 });
  writeFile(join(home, '.ssh', 'authorized_keys'), 'key\n', {
    uid: NOBODY,
    gid: NOBODY,
    mode: 0o600,
  });
  t.is(statSync(join(home, '.ssh')).uid, NOBODY);
  t.is(modeOf(join(home, '.ssh')), '700');
  t.is(modeOf(join(home, '.ssh', 'authorized_keys')), '600');
});

asRoot(
  'a user who swaps directories for links all the time gets nothing written elsewhere',
  async (t) => {
    const home = foreignDirectory();
    const target = directory();
    chmodSync(target, 0o755);
    const script = `
    const fs = require('fs');
    process.setgid(${NOBODY}); process.setuid(${NOBODY});
    process.chdir(${JSON.stringify(home)});
    fs.mkdirSync('real'); fs.mkdirSync('way'); fs.symlinkSync(${JSON.stringify(target)}, 'evil');
    console.log('ready');
    for (;;) {
      try {
        fs.renameSync('way', 'real2'); fs.renameSync('evil', 'way');
        fs.renameSync('way', 'evil'); fs.renameSync('real2', 'way');
      } catch (error) { console.error(error.message); }
    }`;
    const attacker = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => {
      attacker.stdout.once('data', resolve);
    });
    const counts = { written: 0, refused: 0 };
    const deadline = Date.now() + 40_000;
    while (Math.min(counts.written, counts.refused) < 3 && Date.now() < deadline) {
      try {
        writeFile(join(home, 'way', 'file'), 'x', KEEP);
        counts.written += 1;
      } catch (error) {
        t.true(error instanceof Error && 'code' in error && error.code === 'HOST_FILE_FAILED');
        counts.refused += 1;
      }
      await new Promise(setImmediate);
    }
    attacker.kill('SIGKILL');
    t.deepEqual(readdirSync(target), []);
    t.true(counts.written > 0 && counts.refused > 0, JSON.stringify(counts));
  },
);

// Many together

function manyIn(place: string, count: number): { path: string; content: string; owner: Owner }[] {
  return Array.from({ length: count }, (_, number) => ({
    path: join(place, String(number % 3), String(number)),
    content: `content ${number}\n`,
    owner: { uid: NOBODY, gid: NOBODY, mode: 0o640 },
  }));
}

asRoot(
  'writes many files together, each with its owner and mode, and leaves nothing else',
  async (t) => {
    const place = directory();
    makeDirectories(
      ['0', '1', '2'].map((name) => join(place, name)),
      KEEP,
    );
    writeFileSync(join(place, '0', '.0.conductor'), 'half');
    writeFileSync(join(place, '1', '1'), 'old', { mode: 0o600 });
    await writeTogether([
      ...manyIn(place, 30).filter(({ path }) => !path.endsWith('/1')),
      { path: join(place, '1', '1'), content: 'new', owner: KEEP },
    ]);
    const found = ['0', '1', '2'].flatMap((name) => readdirSync(join(place, name)));
    t.deepEqual(found.toSorted(), Array.from({ length: 30 }, (_, at) => String(at)).toSorted());
    t.is(readFileSync(join(place, '2', '29'), 'utf8'), 'content 29\n');
    t.deepEqual(
      [statSync(join(place, '2', '29')).uid, modeOf(join(place, '2', '29'))],
      [NOBODY, '640'],
    );
    t.deepEqual(
      [readFileSync(join(place, '1', '1'), 'utf8'), modeOf(join(place, '1', '1'))],
      ['new', '600'],
    );
  },
);

asRoot('where one of many files cannot be written, none is, and nothing is left', async (t) => {
  const place = directory();
  const home = foreignDirectory();
  symlinkSync(place, join(home, 'way'));
  makeDirectories(
    ['0', '1', '2', '0/27'].map((name) => join(place, name)),
    KEEP,
  );
  const inTheWay = writeTogether(manyIn(place, 30));
  await t.throwsAsync(inTheWay, { message: `Cannot write "${place}/0/27": a directory is there` });
  const foreign = { path: join(home, 'way', 'file'), content: 'x', owner: KEEP };
  await t.throwsAsync(writeTogether([...manyIn(place, 20), foreign]), {
    message: /is a symbolic link that others can change/u,
  });
  t.deepEqual(
    ['', '0', '1', '2'].map((name) => readdirSync(join(place, name))),
    [['0', '1', '2'], ['27'], [], []],
  );
});

asRoot('long names that begin alike are not taken for each other', async (t) => {
  const place = directory();
  const names = ['a', 'b'].map((end) => `${'ü'.repeat(120)}${end}`);
  const files = names.map((name) => ({ path: join(place, name), content: name, owner: KEEP }));
  await writeTogether(files);
  t.deepEqual(readdirSync(place).toSorted(), names);
  t.deepEqual(
    names.map((name) => readFileSync(join(place, name), 'utf8')),
    names,
  );
});

test('many files are taken in parts that can be held open and in memory', (t) => {
  let taken = 0;
  function* files(content: string) {
    for (; taken < 1000; taken += 1) yield { path: `/${taken}`, content, ownership: {} };
  }
  const [first] = batchesOf(files(''));
  t.is(first?.length, 200);
  t.true(taken < 201);
  const [large] = batchesOf(files('x'.repeat(9 * 1024 * 1024)));
  t.is(large?.length, 4);
  t.deepEqual([...batchesOf([])], []);
});

asRoot('makes directories with those in them', (t) => {
  const place = directory();
  const names = ['a', 'a/b', 'a/b/c', 'a/d', 'e'];
  makeDirectories(
    names.map((name) => join(place, name)),
    { uid: NOBODY, gid: 0, mode: 0o2750 },
  );
  for (const name of names) {
    const path = join(place, name);
    t.deepEqual([statSync(path).uid, modeOf(path)], [NOBODY, '2750']);
  }
  makeDirectories([], KEEP);
  t.throws(() => makeDirectories([join(place, 'f'), join(place, 'a')], KEEP), {
    message: `Cannot make "${place}/a": something is already there`,
  });
});

// Everything else that changes files

asRoot('makes a directory with its owner, and not twice', (t) => {
  const path = join(directory(), 'logs');
  makeDirectory(path, { uid: NOBODY, gid: 0, mode: 0o2750 });
  t.deepEqual([statSync(path).uid, modeOf(path)], [NOBODY, '2750']);
  t.throws(() => makeDirectory(path, KEEP), { message: /something is already there/u });
});

asRoot('gives owners without losing bits, and never through a link', (t) => {
  const place = directory();
  const path = join(place, 'program');
  writeFileSync(path, '');
  chmodSync(path, 0o4755);
  own(path, { uid: NOBODY, gid: null, mode: null });
  t.deepEqual([statSync(path).uid, modeOf(path)], [NOBODY, '4755']);
  own(path, { uid: null, gid: null, mode: 0o600 });
  t.is(modeOf(path), '600');

  symlinkSync(path, join(place, 'link'));
  own(join(place, 'link'), { uid: 1, gid: 1, mode: null });
  t.deepEqual([lstatSync(join(place, 'link')).uid, statSync(path).uid], [1, NOBODY]);

  linkSync(path, join(place, 'hardlink'));
  t.throws(() => own(path, { ...KEEP, uid: 0 }), { message: /2 hard links/u });
  t.throws(() => own(join(place, 'none'), KEEP), { message: /does not exist/u });
  linkSync(join(place, 'link'), join(place, 'another'));
  t.throws(() => own(join(place, 'link'), { ...KEEP, uid: 0 }), { message: /in its place/u });
});

asRoot('links in one step, and replaces nothing but links', (t) => {
  const place = directory();
  link(join(place, 'current'), 'v1', { uid: NOBODY, gid: NOBODY, mode: null });
  link(join(place, 'current'), 'v2', KEEP);
  t.is(readlinkSync(join(place, 'current')), 'v2');
  writeFileSync(join(place, 'file'), '');
  t.throws(() => link(join(place, 'file'), 'v2', KEEP), { message: /no symbolic link/u });
  t.deepEqual(readdirSync(place), ['current', 'file']);
});

asRoot('renames, and says when that is not possible', (t) => {
  const place = directory();
  writeFileSync(join(place, 'a'), 'a');
  rename(join(place, 'a'), join(place, 'b'));
  t.is(readFileSync(join(place, 'b'), 'utf8'), 'a');
  t.throws(() => rename(join(place, 'a'), join(place, 'c')), { code: 'HOST_FILE_FAILED' });
});

asRoot('removes whatever is there, without following links out of it', (t) => {
  const place = directory();
  const outside = join(directory(), 'outside');
  writeFileSync(outside, 'safe');
  mkdirSync(join(place, 'tree', 'deep'), { recursive: true });
  writeFileSync(join(place, 'tree', 'deep', 'file'), '');
  writeFileSync(Buffer.concat([Buffer.from(join(place, 'tree/')), Buffer.from([0xff, 0xfe])]), '');
  symlinkSync(join(outside, '..'), join(place, 'tree', 'link'));
  remove(join(place, 'tree'));
  remove(join(place, 'tree'));
  remove(join(place, 'no', 'such', 'way'));
  t.false(existsSync(join(place, 'tree')));
  t.is(readFileSync(outside, 'utf8'), 'safe');
});

asRoot('does not remove what is mounted somewhere', (t) => {
  const place = directory();
  const script = `
    import { remove } from ${module('remove')};
    import { readdirSync } from 'node:fs';
    const errors = ['/tree', '/tree/mounted'].map((name) => {
      try { remove(${JSON.stringify(place)} + name); } catch (error) { return error.message; }
    });
    console.log(JSON.stringify({ errors, left: readdirSync(${JSON.stringify(place)} + '/tree/mounted') }));`;
  const line = `mkdir -p "$0/tree/mounted" && mount -t tmpfs tmpfs "$0/tree/mounted" && touch "$0/tree/mounted/kept" && exec "$1" --input-type=module -e "$2"`;
  const out = execFileSync('unshare', [
    '--mount',
    'sh',
    '-c',
    line,
    place,
    process.execPath,
    script,
  ]);
  const { errors, left } = JSON.parse(out.toString());
  t.deepEqual(left, ['kept']);
  for (const message of errors) t.regex(message, /a mount point is in it/u);
});

test('a path that cannot be walked is refused before anything is opened', (t) => {
  t.throws(() => atPath('read', '/a\0b', () => null), { message: /NUL/u });
});

// Reading

asRoot('tells what stands at a path, with names', (t) => {
  const place = directory();
  writeFileSync(join(place, 'file'), 'four', { mode: 0o640 });
  chownSync(join(place, 'file'), 0, 12345);
  symlinkSync('file', join(place, 'link'));
  t.like(status(join(place, 'file'), NAMES), {
    kind: 'file',
    mode: '0640',
    user: 'root',
    group: '12345',
    size: 4,
    links: 1,
  });
  t.is(status(join(place, 'link'), NAMES)?.kind, 'symlink');
  t.is(status(place, NAMES)?.kind, 'directory');
  t.is(status('/dev/null', NAMES)?.kind, 'other');
  t.is(status(join(place, 'none'), NAMES), null);
  t.is(status(join(place, 'file', 'below'), NAMES), null);
});

test('reads files, links and directories; null where there is none', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  writeFileSync(join(place, 'b'), Buffer.from([0xff, 0x00]));
  symlinkSync('b', join(place, 'a'));
  t.deepEqual([...(readFile(join(place, 'a')) ?? [])], [0xff, 0x00]);
  t.is(readLink(join(place, 'a')), 'b');
  t.deepEqual(list(place), ['a', 'b']);
  for (const path of [join(place, 'none'), join(place, 'b', 'below')]) {
    t.is(readFile(path), null);
    t.is(readLink(path), null);
    t.is(list(path), null);
  }
  t.is(readLink(join(place, 'b')), null);
});

test('reading a pipe that nobody writes to does not hang', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  execFileSync('mkfifo', [join(place, 'fifo')]);
  t.throws(() => readFile(join(place, 'fifo')), { message: /not a regular file/u });
  t.throws(() => readFile(place), { message: /it is a directory/u });
  writeFileSync(join(place, 'huge'), '');
  truncateSync(join(place, 'huge'), 3 * 1024 ** 3);
  t.throws(() => readFile(join(place, 'huge')), {
    message: /^Cannot read ".*huge": it is larger than 2 GiB, .*cmd.run/u,
  });
});

// Owners and errors

const DEPLOY = { name: 'deploy', uid: 1001, gid: 1001, gecos: '', home: '/', shell: '/bin/sh' };

test('looks owners up by name, and takes bare numbers', (t) => {
  const people = {
    accounts: new Map([['deploy', DEPLOY]]),
    groups: new Map([['www', { name: 'www', gid: 33, members: [] }]]),
  };
  t.deepEqual(ownerOf('/x', { user: 'deploy', group: 'www', mode: '640' }, people), {
    uid: 1001,
    gid: 33,
    mode: 0o640,
  });
  t.deepEqual(ownerOf('/x', { user: '4000' }, people), { uid: 4000, gid: null, mode: null });
  t.throws(() => ownerOf('/x', { user: 'deplyo' }, people), {
    message: 'Cannot own "/x": there is no user "deplyo"',
  });
  t.throws(() => ownerOf('/x', { group: 'wwww' }, people), { message: /no group "wwww"/u });
  t.throws(() => ownerOf('/x', { mode: 'rw-r--r--' }, people), { message: /not a mode/u });
});

test('says in words what the system says in codes', (t) => {
  for (const [code, words] of [
    ['EROFS', 'the file system is read-only'],
    ['EACCES', 'permission is denied'],
    ['ENOTDIR', 'something on the way to it is not a directory'],
    ['EISDIR', 'it is a directory'],
    ['EXOTIC', 'EXOTIC'],
  ] as const) {
    t.is(
      fileError('write', '/x', Object.assign(new Error(code), { code })).message,
      `Cannot write "/x": ${words}`,
    );
  }
  const bug = new TypeError('boom');
  t.is(fileError('write', '/x', bug), bug);
  t.is(shortage(bug), null);
  const system = new Error('A system error occurred: uv_os_homedir returned EMFILE');
  t.is(shortage(system)?.message, 'Cannot go on: there are too many open files');
});

// Our own files

const storedSchema = z.strictObject({ n: z.number() });

test('keeps its own files whole, private and checked', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  const path = join(place, 'new', 'state.json');
  t.deepEqual(readStored(path, storedSchema), { status: 'missing' });
  writeDurably(path, '{"n":1}');
  t.deepEqual(readStored(path, storedSchema), { status: 'ok', value: { n: 1 } });
  t.deepEqual([modeOf(path), modeOf(join(place, 'new'))], ['600', '700']);
  for (const text of ['{"n":', '{"n":"1"}', '{"n":1,"m":2}', '']) {
    writeFileSync(path, text);
    t.is(readStored(path, storedSchema).status, 'corrupt', text);
  }
  const copy = keepCopy(path, new Date(0));
  t.is(copy, `${path}.corrupt-1970-01-01T000000.000Z`);
  t.true(existsSync(path));
  t.is(setAside(path, new Date(1)), `${path}.corrupt-1970-01-01T000000.001Z`);
  t.false(existsSync(path));
});

test('of files that are damaged again and again the newest are kept', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  const path = join(place, 'state.json');
  for (let at = 0; at < 25; at += 1) {
    writeFileSync(path, String(at));
    setAside(path, new Date(at));
  }
  const left = readdirSync(place).map((name) => readFileSync(join(place, name), 'utf8'));
  t.deepEqual(
    left.map(Number).toSorted((a, b) => a - b),
    [...Array(20).keys()].map((at) => at + 5),
  );
});

test('the registry remembers from run to run, and forgets on request', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  const path = join(place, 'registry.json');
  const open = (dryRun = false) => openRegistry(path, { dryRun, onCorrupt: (why) => t.fail(why) });
  open().rememberAll({ 'port:b': '2', 'port:a': '1' });
  open().remember('port:b', null);
  t.deepEqual([...open().entries()], [['port:a', '1']]);
  t.is(open().recall('port:a'), '1');
  t.is(open().recall('port:b'), null);
  const { mtimeMs } = statSync(path);
  open().remember('port:a', '1');
  t.is(statSync(path).mtimeMs, mtimeMs);
  t.throws(() => open(true).remember('port:c', '3'));
});

test('a corrupt registry is set aside loudly; a dry run leaves it where it is', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  const path = join(place, 'registry.json');
  writeFileSync(path, '{"version":1,"values":{"a":1}}');
  const said: string[] = [];
  openRegistry(path, { dryRun: true, onCorrupt: (why) => said.push(why) });
  t.deepEqual(readdirSync(place), ['registry.json']);
  const registry = openRegistry(path, { dryRun: false, onCorrupt: (why) => said.push(why) });
  t.is(registry.recall('a'), null);
  t.is(said.length, 2);
  t.true(readdirSync(place)[0]?.startsWith('registry.json.corrupt-'));

  registry.remember('port:a', '20001');
  rmSync(path);
  mkdirSync(path);
  const mended = openRegistry(path, { dryRun: false, onCorrupt: (why) => said.push(why) });
  t.is(mended.recall('port:a'), '20001');
  t.regex(said[2] ?? '', /it is not a regular file; its copy took its place$/u);
  openRegistry(path, { dryRun: false, onCorrupt: (why) => t.fail(why) });
});

test('a file of ours that others could have written is corrupt, and a directory in its way is put aside', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  const path = join(place, 'sub', 'state.json');
  writeFileSync(join(place, 'sub'), 'a file where a directory should be');
  writeDurably(path, '{"n":1}');
  chmodSync(path, 0o666);
  t.deepEqual(readStored(path, storedSchema), {
    status: 'corrupt',
    why: 'its mode 666 lets others write it',
  });
  rmSync(path);
  mkdirSync(join(path, 'inside'), { recursive: true });
  t.like(readStored(path, storedSchema), { why: 'it is not a regular file' });
  writeDurably(path, '{"n":2}');
  t.like(readStored(path, storedSchema), { value: { n: 2 } });
  t.is(corruptIn(join(place, 'sub')).length, 1);
  t.is(corruptIn(place).length, 1);
});

asRoot('a file of ours that belongs to another user is corrupt', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'conductor-test-'));
  made.push(place);
  const path = join(place, 'state.json');
  writeDurably(path, '{"n":1}');
  chownSync(path, 65534, 65534);
  t.like(readStored(path, storedSchema), { why: 'it belongs to user 65534' });
});

function atRestOf(fill: number) {
  return createAtRest(nodeCrypto, atRestKey(nodeCrypto, new Uint8Array(32).fill(fill)));
}

test('what is sealed opens whole, with its own key, and not at all otherwise', (t) => {
  const [ours, theirs] = [atRestOf(1), atRestOf(2)];
  const sealed = ours.seal(Buffer.from('a secret'));
  t.is(Buffer.from(ours.open(sealed) ?? []).toString(), 'a secret');
  t.notDeepEqual(ours.seal(Buffer.from('a secret')), sealed);
  t.is(theirs.open(sealed), null);
  for (let length = 0; length < sealed.length; length += 1)
    t.is(ours.open(sealed.subarray(0, length)), null, String(length));
  for (let at = 0; at < sealed.length; at += 1) {
    const bent = sealed.map((byte, index) => (index === at ? byte ^ 1 : byte));
    t.is(ours.open(bent), null, String(at));
  }
});

asRoot('no file is read through a link that others can change', (t) => {
  const home = foreignDirectory();
  symlinkSync('/etc/shadow', join(home, 'own'));
  symlinkSync('/etc', join(home, 'etc'));
  t.throws(() => readFile(join(home, 'own')), {
    message: /a symbolic link that others can change/,
  });
  t.throws(() => readFile(join(home, 'etc/shadow')), {
    message: /"etc" on the way is a symbolic link that others can change/,
  });
  t.throws(() => list(join(home, 'etc')), { message: /a symbolic link that others can change/ });
  t.is(readFile(join(home, 'none')), null);
});

asRoot('files are read through links of root, relative and absolute, one after the other', (t) => {
  const path = directory();
  mkdirSync(join(path, 'a'));
  writeFileSync(join(path, 'a/file'), 'x');
  symlinkSync('../a/file', join(path, 'a/relative'));
  symlinkSync(join(path, 'a/relative'), join(path, 'absolute'));
  symlinkSync('a', join(path, 'd'));
  for (const name of ['absolute', 'd/relative', 'd/file'])
    t.is(Buffer.from(readFile(join(path, name)) ?? []).toString(), 'x', name);
  t.deepEqual(list(join(path, 'd')), ['file', 'relative']);
  symlinkSync('loop', join(path, 'loop'));
  t.throws(() => readFile(join(path, 'loop')), { message: /too many symbolic links/ });
  t.truthy(readFile('/proc/mounts'));
});

asRoot('a walk tells all that is below a directory and follows no link', (t) => {
  const path = directory();
  mkdirSync(join(path, 'b/deep'), { recursive: true });
  writeFileSync(join(path, 'b/deep/file'), 'x');
  symlinkSync('/etc', join(path, 'a'));
  const found = walk(path, { names: NAMES }) ?? [];
  t.deepEqual(
    found.map(({ path, kind }) => [path, kind]),
    [
      ['a', 'symlink'],
      ['b', 'directory'],
      ['b/deep', 'directory'],
      ['b/deep/file', 'file'],
    ],
  );
  t.deepEqual(walk(path, { names: NAMES, maxDepth: 0 })?.length, 2);
  t.is(walk(join(path, 'none'), { names: NAMES }), null);
  writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff])]), '');
  t.throws(() => walk(path, { names: NAMES }), { message: /is no UTF-8 text/ });
});

asRoot('several names of one directory are owned at once, and what is gone is passed over', (t) => {
  const home = foreignDirectory();
  writeFileSync(join(home, 'a'), '');
  symlinkSync('/etc/passwd', join(home, 'l'));
  const owner = { uid: 0, gid: null, mode: 0o600 };
  ownIn(
    home,
    new Map([
      ['a', owner],
      ['gone', owner],
      ['l', owner],
    ]),
  );
  t.is(statSync(join(home, 'a')).uid, 0);
  t.is(lstatSync(join(home, 'l')).uid, 0);
  t.is(statSync('/etc/passwd').mode & 0o777, 0o644);
});

asRoot('a further name replaces a file in one step and leaves nothing behind', (t) => {
  const path = directory();
  writeFileSync(join(path, 'a'), 'a');
  writeFileSync(join(path, 'b'), 'b');
  hardLink(join(path, 'b'), join(path, 'a'));
  hardLink(join(path, 'b'), join(path, 'a'));
  t.is(readFileSync(join(path, 'b'), 'utf8'), 'a');
  t.deepEqual(readdirSync(path), ['a', 'b']);
  t.throws(() => hardLink(join(path, 'c'), path), { message: /is no regular file/ });
});
