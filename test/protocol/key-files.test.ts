import test from 'ava';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatJoinString, parseJoinString } from '../../protocol/join-string.ts';
import {
  createKeyFile,
  makePrivateDirectory,
  readGivenKeyFile,
  readKeyFile,
  readOrCreateKeyFile,
} from '../../protocol/key-files.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { formatSealingKey, open, parseSealingKey, seal, sealingKey } from '../../protocol/seal.ts';
import { IN_THE_WAY, putInTheWay } from '../helpers/in-the-way.ts';

const crypto = nodeCrypto;

async function folder() {
  return join(await mkdtemp(join(tmpdir(), 'conductor-keys-')), 'pki');
}

const refused = { code: 'STATE_DIRECTORY_INVALID' };

test('a key file is made once, for its owner alone, and read back', async (t) => {
  const path = join(await folder(), 'minion.key');
  const key = await readOrCreateKeyFile(crypto, path, 'minion');
  t.is(key.length, 32);
  t.deepEqual(await readOrCreateKeyFile(crypto, path, 'minion'), key);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.is((await stat(join(path, '..'))).mode & 0o777, 0o700);
  t.deepEqual(await readdir(join(path, '..')), ['minion.key']);
});

test('a key file is never made over another', async (t) => {
  const path = join(await folder(), 'root.key');
  const key = await createKeyFile(crypto, path, 'root');
  await t.throwsAsync(createKeyFile(crypto, path, 'root'), { ...refused, message: /already/u });
  t.deepEqual(await readKeyFile(path, 'root'), key);
  t.deepEqual(await readdir(join(path, '..')), ['root.key']);
});

test('a key that others could have read is refused, with the remedy', async (t) => {
  const path = join(await folder(), 'minion.key');
  await createKeyFile(crypto, path, 'minion');
  await chmod(path, 0o640);
  await t.throwsAsync(readKeyFile(path, 'minion'), { ...refused, message: /0640.*chmod 600/u });
  await chmod(path, 0o600);
  await chmod(join(path, '..'), 0o755);
  await t.throwsAsync(readKeyFile(path, 'minion'), {
    ...refused,
    message: /0755.*Conductor's own, of mode 0700/u,
  });
  await t.throwsAsync(makePrivateDirectory(join(path, '..')), refused);
});

test('a key that is named may stand in any directory in which others cannot replace it', async (t) => {
  const path = join(await folder(), 'sealing.key');
  const key = await createKeyFile(crypto, path, 'sealing');
  for (const mode of [0o755, 0o1777]) {
    await chmod(join(path, '..'), mode);
    t.deepEqual(await readGivenKeyFile(path, 'sealing'), key);
  }
  for (const mode of [0o777, 0o775]) {
    await chmod(join(path, '..'), mode);
    const error = await t.throwsAsync(readGivenKeyFile(path, 'sealing'), refused);
    t.regex(error.message, /others can replace it: the mode of .* is 077\d/u);
    t.notRegex(error.message, /chmod/u);
  }
  await chmod(join(path, '..'), 0o755);
  await chmod(path, 0o644);
  const open = {
    ...refused,
    message: /sealing\.key": its mode 0644 lets others in \(chmod 600 it/u,
  };
  await t.throwsAsync(readGivenKeyFile(path, 'sealing'), open);
  const nowhere = { ...refused, message: /none": it cannot be looked at \(ENOENT\)/u };
  await t.throwsAsync(readGivenKeyFile(join(path, '../none/a.key'), 'sealing'), nowhere);
});

test('root may be given the key of a service, which is no key of its own', async (t) => {
  const path = join(await folder(), 'sealing.key');
  const key = await createKeyFile(crypto, path, 'sealing');
  if (process.getuid?.() !== 0) {
    t.deepEqual(await readGivenKeyFile(path, 'sealing'), key);
    return;
  }
  await chown(path, 4711, 4711);
  await chown(join(path, '..'), 4711, 4711);
  t.deepEqual(await readGivenKeyFile(path, 'sealing'), key);
  await t.throwsAsync(readKeyFile(path, 'sealing'), {
    ...refused,
    message: /belongs to user 4711/u,
  });
});

test('a key that is a link, not a file, damaged, or of another kind is refused', async (t) => {
  const path = join(await folder(), 'minion.key');
  await createKeyFile(crypto, path, 'minion');
  await t.throwsAsync(readKeyFile(path, 'root'), {
    ...refused,
    message: /a minion key, not a root/u,
  });
  const other = join(path, '..', 'other.key');
  await rename(path, other);
  await t.throwsAsync(readKeyFile(path, 'minion'), { ...refused, message: /ENOENT/u });
  await symlink(other, path);
  await t.throwsAsync(readOrCreateKeyFile(crypto, path, 'minion'), {
    ...refused,
    message: /symbolic link/u,
  });
  await mkdir(join(path, '..', 'folder.key'), { mode: 0o700 });
  await t.throwsAsync(readKeyFile(join(path, '..', 'folder.key'), 'minion'), {
    ...refused,
    message: /regular/u,
  });
  await writeFile(other, (await readFile(other, 'utf8')).slice(0, -9));
  await t.throwsAsync(readKeyFile(other, 'minion'), {
    ...refused,
    message: /does not hold a key/u,
  });
});

const join1 = {
  tokenId: new Uint8Array(16).fill(9),
  secret: new Uint8Array(32).fill(8),
  address: 'conductor.example.org:4510',
  rootFingerprint: fingerprintOf(crypto, crypto.signingKey(new Uint8Array(32)).publicKey),
};

test('a join string says again what it was made of, also with an IPv6 address', (t) => {
  t.deepEqual(parseJoinString(` ${formatJoinString(join1)}\n`), join1);
  const six = { ...join1, address: '[2001:db8::1]:4510' };
  t.deepEqual(parseJoinString(formatJoinString(six)), six);
});

test('a join string that is damaged says how, and never tells its secret', (t) => {
  const text = formatJoinString(join1);
  const damaged: [string, RegExp][] = [
    ['', /nothing was given/u],
    ['hello', /does not start with/u],
    [text.replace('@', ' '), /it is not "cdr1join/u],
    [text.replace(':4510', ''), /is no host:port/u],
    [text.replace('4510', '99999'), /is no host:port/u],
    [text.slice(0, -1), /cut off/u],
    [text.replace('.CA', '.C'), /its token|its secret/u],
    [text.replace('cdr1join.C', 'cdr1join.'), /its token is damaged/u],
  ];
  for (const [damage, message] of damaged) {
    const error = t.throws(() => parseJoinString(damage), { code: 'JOIN_STRING_INVALID', message });
    t.false(error.message.includes('CAgICAgI'), 'the secret is told');
  }
});

test('a sealed value opens with the private key alone, and never seals the same twice', (t) => {
  const key = sealingKey(crypto.random(32));
  const sealed = seal(parseSealingKey(formatSealingKey(key.publicKey)), 'סוד 🔑\n');
  t.is(open(key, sealed), 'סוד 🔑\n');
  t.not(seal(key.publicKey, 'x'), seal(key.publicKey, 'x'));
});

test('a sealed value that is damaged or for another key is refused with the reason', (t) => {
  const key = sealingKey(crypto.random(32));
  const sealed = seal(key.publicKey, 'secret');
  const other = sealingKey(crypto.random(32));
  t.throws(() => open(other, sealed), { code: 'SEALED_VALUE', message: /another master/u });
  t.throws(() => open(key, 'aGVsbG8='), { code: 'SEALED_VALUE', message: /not a sealed value/u });
  const bytes = Buffer.from(sealed, 'base64');
  for (const index of [10, 45, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    t.throws(() => open(key, changed.toString('base64')), {
      code: 'SEALED_VALUE',
      message: /damaged/u,
    });
  }
  t.throws(() => parseSealingKey('cdr1seal:abc'), { code: 'SEALED_VALUE' });
});

test('what stands in place of the directory of keys is told as such', async (t) => {
  for (const what of IN_THE_WAY) {
    const path = await folder();
    putInTheWay(path, what);
    const key = readOrCreateKeyFile(crypto, join(path, 'minion.key'), 'minion');
    await t.throwsAsync(key, { ...refused, message: /pki": it is not a directory$/u }, what);
  }
});
