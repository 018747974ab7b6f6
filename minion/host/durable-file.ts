import {
  closeSync,
  constants,
  copyFileSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { fileError } from './file-error.ts';

/** Our own small files: owned by root, in directories that only root can enter. */

/** Replaces a file in one step; when it returns, the content survives a loss of power. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  const staged = `${dirname(path)}/.${basename(path)}.new`;
  try {
    makeDirectoryOf(path);
    rmSync(staged, { force: true });
    const fd = openSync(staged, 'wx', 0o600);
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) setAside(path);
    renameSync(staged, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(staged, { force: true, recursive: true });
    throw fileError('write', path, error);
  }
}

/** Adds to the end of a file; when it returns, that survives a loss of power. After it has thrown, a part may stand there. */
export function appendDurably(path: string, content: string): void {
  try {
    const isNew = lstatSync(path, { throwIfNoEntry: false }) === undefined;
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    try {
      writeFileSync(fd, content);
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (isNew) syncDirectory(dirname(path));
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** What became of an attempt to read one of our files. */
export type Stored<T> =
  | { readonly status: 'ok'; readonly value: T }
  | { readonly status: 'missing' }
  | { readonly status: 'corrupt'; readonly why: string };

/** Reads JSON and holds it against its schema. */
export function readStored<T>(path: string, schema: Pick<z.ZodType<T>, 'parse'>): Stored<T> {
  const read = readOwnBytes(path);
  if (read.status !== 'ok') return read;
  try {
    return { status: 'ok', value: schema.parse(JSON.parse(read.value.toString('utf8'))) };
  } catch (error) {
    return { status: 'corrupt', why: messageOf(error) };
  }
}

/** What a file of ours holds; one that somebody else could have written is corrupt. Throws if the disk fails. */
export function readOwnBytes(path: string): Stored<Buffer> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { status: 'missing' };
    if (code === 'ELOOP' || code === 'ENXIO') return { status: 'corrupt', why: NO_FILE };
    throw fileError('read', path, error);
  }
  try {
    const why = strangeness(fstatSync(fd));
    return why === null ? { status: 'ok', value: readFileSync(fd) } : { status: 'corrupt', why };
  } catch (error) {
    throw fileError('read', path, error);
  } finally {
    closeSync(fd);
  }
}

const NO_FILE = 'it is not a regular file';

function strangeness(status: Stats): string | null {
  if (!status.isFile()) return NO_FILE;
  if (status.uid !== process.geteuid?.()) return `it belongs to user ${status.uid}`;
  const mode = status.mode & 0o7777;
  return (mode & 0o022) === 0 ? null : `its mode ${mode.toString(8)} lets others write it`;
}

/**
 * Makes a directory that only root can enter. Whatever else stands in its place, a link included, is put aside; says
 * where, and `null` if nothing did.
 */
export function makeOwnDirectory(path: string): string | null {
  const aside = clearPlace(path);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return aside;
}

/** Puts aside what stands in place of a directory of ours and is none. Says where it is now; `null` if nothing did. */
export function clearPlace(path: string): string | null {
  const isOther = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  return isOther ? setAside(path) : null;
}

/** Makes the directory that one of our files is to be in. That may be a link to one: where all is kept is not ours to say. */
export function makeDirectoryOf(path: string): void {
  const directory = dirname(path);
  const isThere = statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isThere) makeOwnDirectory(directory);
}

/** Like `writeDurably`, with a copy beside it for the day on which the file is found damaged. */
export function writeTwice(path: string, content: string): void {
  writeDurably(copyOf(path), content);
  writeDurably(path, content);
}

/** What the copy of a damaged file holds, if it is whole; but for a dry run it takes the place of the file. */
export function restoreCopy<T>(
  path: string,
  schema: Pick<z.ZodType<T>, 'parse'>,
  { dryRun }: { readonly dryRun: boolean },
): T | null {
  const copy = readStored(copyOf(path), schema);
  if (copy.status !== 'ok') return null;
  if (!dryRun) writeDurably(path, readFileSync(copyOf(path)));
  return copy.value;
}

function copyOf(path: string): string {
  return `${path}.copy`;
}

/** Puts a corrupt file out of the way, for somebody to look at. Says where it is now. */
export function setAside(path: string, now = new Date()): string {
  const aside = corruptName(path, now);
  try {
    renameSync(path, aside);
  } catch (error) {
    throw fileError('rename', path, error);
  }
  pruneCorrupt(dirname(path));
  return aside;
}

/** Keeps a copy of a corrupt file that is about to be replaced; what is no file is put aside. Says where. */
export function keepCopy(path: string, now = new Date()): string {
  if (!lstatSync(path).isFile()) return setAside(path, now);
  const copy = corruptName(path, now);
  try {
    copyFileSync(path, copy, constants.COPYFILE_EXCL);
  } catch (error) {
    throw fileError('copy', path, error);
  }
  pruneCorrupt(dirname(path));
  return copy;
}

function corruptName(path: string, now: Date): string {
  const name = `${path}.corrupt-${now.toISOString().replaceAll(':', '')}`;
  let free = name;
  for (let number = 2; lstatSync(free, { throwIfNoEntry: false }) !== undefined; number += 1)
    free = `${name}-${number}`;
  return free;
}

/** How many corrupt files of one directory are kept for somebody to look at. */
const MOST_CORRUPT = 20;

/** The newest are kept: something that damages files again and again must not fill the disk. */
function pruneCorrupt(directory: string): void {
  for (const name of corruptIn(directory).slice(0, -MOST_CORRUPT)) {
    rmSync(join(directory, name), { force: true, recursive: true });
  }
}

/** Names of what has been put aside in a directory, the oldest first; none if it is not there. */
export function corruptIn(directory: string): string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  const corrupt = readdirSync(directory).filter((name) => /\.corrupt-\d{4}-/u.test(name));
  return corrupt.toSorted((a, b) => (sinceOf(a) < sinceOf(b) ? -1 : 1));
}

function sinceOf(name: string): string {
  return name.slice(name.lastIndexOf('.corrupt-'));
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
