import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { link, lstat, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConductorError, systemCode } from '../shared/errors.ts';
import { fromHex, toHex } from './bytes.ts';
import type { Crypto } from './crypto.ts';

/** Private keys on disk: one line, `cdr1:<kind>:<hex>`, mode 0600 in a directory of mode 0700. */

export type KeyKind = 'root' | 'identity' | 'sealing' | 'minion';

/** Makes a directory that only its owner can enter; one that is there must be that already. */
export async function makePrivateDirectory(path: string): Promise<void> {
  if (!(await exists(path))) await mkdir(path, { recursive: true, mode: 0o700 });
  await checkDirectory(path);
}

/** The 32 bytes of a private key. Throws STATE_DIRECTORY_INVALID if others could have read it. */
export async function readKeyFile(path: string, kind: KeyKind): Promise<Uint8Array> {
  await checkDirectory(dirname(path));
  return readKey(path, kind, checkOwner);
}

/**
 * The same of a key that somebody has named: it may stand in any directory in which others cannot put another in its
 * place, and root may read that of a service.
 */
export async function readGivenKeyFile(path: string, kind: KeyKind): Promise<Uint8Array> {
  const directory = dirname(path);
  const { mode } = await lookAt(directory, stat);
  if ((mode & 0o022) !== 0 && (mode & STICKY) === 0) {
    const why = `others can replace it: the mode of "${directory}" is ${octal(mode)}`;
    throw unusable(path, `${why} (keep it in a directory that only its owner can change)`);
  }
  return readKey(path, kind, process.getuid?.() === 0 ? () => undefined : checkOwner);
}

/** In such a directory, as /tmp is one, nobody replaces a file of somebody else. */
const STICKY = 0o1000;

type Check = (path: string, status: Status) => void;

async function readKey(path: string, kind: KeyKind, checkWhose: Check): Promise<Uint8Array> {
  const file = await openKey(path);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unusable(path, 'it is not a regular file');
    checkWhose(path, status);
    checkMode(path, status, 'chmod 600 it, and replace the key');
    return decode(path, kind, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

/** Makes a key and its file, in one step: never a part of it, and never over one that is there. */
export async function createKeyFile(
  crypto: Crypto,
  path: string,
  kind: KeyKind,
): Promise<Uint8Array> {
  await makePrivateDirectory(dirname(path));
  const key = crypto.random(32);
  const temporary = `${path}.${toHex(crypto.random(8))}.new`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`cdr1:${kind}:${toHex(key)}\n`);
    await file.sync();
    await file.close();
    await link(temporary, path);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw unusable(path, 'there is a key already');
    throw error;
  } finally {
    await unlink(temporary);
  }
  await syncDirectory(dirname(path));
  return key;
}

/** The key in the file, which is made if there is none. */
export async function readOrCreateKeyFile(
  crypto: Crypto,
  path: string,
  kind: KeyKind,
): Promise<Uint8Array> {
  await makePrivateDirectory(dirname(path));
  return (await exists(path)) ? readKeyFile(path, kind) : createKeyFile(crypto, path, kind);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function checkDirectory(path: string): Promise<void> {
  const status = await lookAt(path, lstat);
  if (!status.isDirectory()) throw unusable(path, 'it is not a directory');
  checkOwner(path, status);
  // Which directory that is somebody may have mistyped: to close one of the system's would break the host.
  checkMode(path, status, "expected a directory of Conductor's own, of mode 0700");
}

async function lookAt(path: string, look: (path: string) => Promise<Stats>): Promise<Stats> {
  try {
    return await look(path);
  } catch (cause) {
    throw unusable(path, `it cannot be looked at (${systemCode(cause) ?? 'unknown'})`, cause);
  }
}

interface Status {
  readonly uid: number;
  readonly mode: number;
}

function checkOwner(path: string, { uid }: Status): void {
  const own = process.getuid?.() ?? 0;
  if (uid !== own) throw unusable(path, `it belongs to user ${uid}, and this program is ${own}`);
}

function checkMode(path: string, { mode }: Status, remedy: string): void {
  if ((mode & 0o077) === 0) return;
  throw unusable(path, `its mode ${octal(mode)} lets others in (${remedy})`);
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

async function openKey(path: string) {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const reason = systemCode(cause) === 'ELOOP' ? 'it is a symbolic link' : 'it cannot be opened';
    throw unusable(path, `${reason} (${systemCode(cause) ?? 'unknown'})`, cause);
  }
}

function decode(path: string, kind: KeyKind, text: string): Uint8Array {
  const match = /^cdr1:(?<kind>[a-z]+):(?<key>[0-9a-f]{64})\n?$/u.exec(text);
  if (match?.groups === undefined) throw unusable(path, 'it does not hold a key');
  const found = match.groups['kind'] ?? '';
  if (found !== kind) throw unusable(path, `it holds a ${found} key, not a ${kind} key`);
  return fromHex(match.groups['key'] ?? '');
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function unusable(path: string, problem: string, cause?: unknown): ConductorError {
  return new ConductorError('STATE_DIRECTORY_INVALID', `Cannot use "${path}": ${problem}`, {
    cause,
  });
}
