import {
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { fileError } from './file-error.ts';

/** Our own small files: owned by root, in directories that only root can enter. */

/** Replaces a file in one step; when it returns, the content survives a loss of power. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  const staged = `${dirname(path)}/.${basename(path)}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(staged, { force: true });
    const fd = openSync(staged, 'wx', 0o600);
    try {
      writeFileSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(staged, path);
    syncDirectory(dirname(path));
  } catch (error) {
    rmSync(staged, { force: true, recursive: true });
    throw fileError('write', path, error);
  }
}

/** What became of an attempt to read one of our files. */
export type Stored<T> =
  | { readonly status: 'ok'; readonly value: T }
  | { readonly status: 'missing' }
  | { readonly status: 'corrupt'; readonly why: string };

/** Reads JSON and holds it against its schema. */
export function readStored<T>(path: string, schema: z.ZodType<T>): Stored<T> {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { status: 'missing' };
    throw fileError('read', path, error);
  }
  try {
    return { status: 'ok', value: schema.parse(JSON.parse(text)) };
  } catch (error) {
    return { status: 'corrupt', why: messageOf(error) };
  }
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

/** Keeps a copy of a corrupt file that is about to be replaced. Says where. */
export function keepCopy(path: string, now = new Date()): string {
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
  return `${path}.corrupt-${now.toISOString().replaceAll(':', '')}`;
}

/** How many corrupt files of one directory are kept for somebody to look at. */
const MOST_CORRUPT = 20;

/** The newest are kept: something that damages files again and again must not fill the disk. */
function pruneCorrupt(directory: string): void {
  const corrupt = readdirSync(directory).filter((name) => /\.corrupt-\d{4}-/u.test(name));
  const sorted = corrupt.toSorted((a, b) => (sinceOf(a) < sinceOf(b) ? -1 : 1));
  for (const name of sorted.slice(0, -MOST_CORRUPT)) {
    rmSync(join(directory, name), { force: true, recursive: true });
  }
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
