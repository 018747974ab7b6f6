import { constants } from 'node:fs';
import { link, lstat, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConductorError, systemCode } from '../shared/errors.ts';
import { fromHex, toHex } from './bytes.ts';
import type { Crypto } from './crypto.ts';

/** Private keys on disk: one line, `cdr1:<kind>:<hex>`, mode 0600 in a directory of mode 0700. */

export type KeyKind = 'root' | 'identity' | 'sealing' | 'minion';

/** Makes a directory that only its owner can enter; one that is there must be that already. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await checkDirectory(path);
}

/** The 32 bytes of a private key. Throws STATE_DIRECTORY_INVALID if others could have read it. */
export async function readKeyFile(path: string, kind: KeyKind): Promise<Uint8Array> {
  await checkDirectory(dirname(path));
  const file = await openKey(path);
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unusable(path, 'it is not a regular file');
    checkOwner(path, status, 'chmod 600');
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
  const status = await lstat(path).catch((cause: unknown) => {
    throw unusable(path, `it cannot be looked at (${systemCode(cause) ?? 'unknown'})`, cause);
  });
  if (!status.isDirectory()) throw unusable(path, 'it is not a directory');
  checkOwner(path, status, 'chmod 700');
}

interface Status {
  readonly uid: number;
  readonly mode: number;
}

function checkOwner(path: string, { uid, mode }: Status, remedy: string): void {
  const own = process.getuid?.() ?? 0;
  if (uid !== own) throw unusable(path, `it belongs to user ${uid}, and this program is ${own}`);
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  if ((mode & 0o077) !== 0)
    throw unusable(path, `its mode ${octal} lets others in (${remedy} it, and replace the key)`);
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
