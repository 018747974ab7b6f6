import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { posix } from 'node:path';
import { systemCode } from '../../shared/errors.ts';
import { refuse } from './file-error.ts';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const LINKS_LIMIT = 40;
const WRITABLE_BY_OTHERS = 0o022;

/** A name in a directory that is held open, so that nobody can put another in its place. */
export interface Spot {
  /** `/proc/self/fd/N`: the directory. */
  readonly directory: string;
  /** `/proc/self/fd/N/name`: what system calls are to be given. */
  readonly at: string;
  /** Of the directory. */
  readonly fd: number;
  readonly name: string;
  /** The path as it was asked for, for messages. */
  readonly path: string;
}

/**
 * Calls `act` with the place that a path names. The way there is walked one directory at a time:
 * symbolic links are followed only in directories that nobody but root can write to. `verb` is
 * for messages.
 */
export function atPath<T>(verb: string, path: string, act: (spot: Spot) => T): T {
  const spot = openSpot(verb, path);
  try {
    return act(spot);
  } finally {
    closeSync(spot.fd);
  }
}

/** The same for whoever needs the place for longer, and closes its `fd` himself. */
export function openSpot(verb: string, path: string): Spot {
  const names = namesIn(verb, path);
  const name = names.pop() ?? '';
  const fd = walk(verb, path, names);
  const directory = `/proc/self/fd/${fd}`;
  return { directory, at: `${directory}/${name}`, fd, name, path };
}

/** Another path in the directory of a spot: the way there is not walked again. */
export function besideSpot(verb: string, path: string, spot: Spot): Spot {
  const name = namesIn(verb, path).at(-1) ?? '';
  return { ...spot, at: `${spot.directory}/${name}`, name, path };
}

/**
 * Opens what a path leads to. Symbolic links are followed only where nobody but root can change
 * them, so that nobody can have root read a file that he could not read himself.
 */
export function openTrusted(verb: string, path: string, flags: number): number {
  const fd = openSync(path, flags);
  try {
    // The system tells where it has got to: no link was on the way, which is nearly always so.
    if (readlinkSync(`/proc/self/fd/${fd}`) === path) return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return openWalking({ verb, path, flags }, path, 0);
}

interface Opening {
  readonly verb: string;
  readonly path: string;
  readonly flags: number;
}

function openWalking(opening: Opening, at: string, links: number): number {
  const { verb, path, flags } = opening;
  if (at === '/') return openSync(at, flags);
  if (links > LINKS_LIMIT) throw refuse(verb, path, 'too many symbolic links are on the way');
  return atPath(verb, at, (spot) => {
    try {
      return openSync(spot.at, flags | constants.O_NOFOLLOW);
    } catch (error) {
      if (statusAt(spot)?.isSymbolicLink() !== true) throw error;
    }
    if (!isTrusted(fstatSync(spot.fd)))
      throw refuse(verb, path, 'it is a symbolic link that others can change');
    const here = readlinkSync(`/proc/self/fd/${spot.fd}`);
    return openWalking(opening, posix.resolve(here, readlinkSync(spot.at)), links + 1);
  });
}

/** What stands at a spot (a symbolic link is not followed); `null` if nothing does. */
export function statusAt({ at }: Pick<Spot, 'at'>): Stats | null {
  try {
    return lstatSync(at, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}

function namesIn(verb: string, path: string): string[] {
  const names = partsOf(path);
  if (!path.startsWith('/')) throw refuse(verb, path, 'it is not an absolute path');
  if (names.length === 0) throw refuse(verb, path, 'it is the root directory');
  if (names.includes('..')) throw refuse(verb, path, 'it holds ".."');
  if (path.includes('\0')) throw refuse(verb, path.replaceAll('\0', '\\0'), 'it holds a NUL');
  return names;
}

/** Opens the directory that the names lead to. */
function walk(verb: string, path: string, names: readonly string[]): number {
  let pending = names;
  let links = 0;
  let fd = openSync('/', DIRECTORY);
  try {
    while (pending.length > 0) {
      const [name = '', ...rest] = pending;
      const found = enter(fd, name);
      const isLink = typeof found === 'string';
      if (isLink && !isTrusted(fstatSync(fd))) {
        throw refuse(verb, path, `"${name}" on the way is a symbolic link that others can change`);
      }
      links += isLink ? 1 : 0;
      if (links > LINKS_LIMIT) throw refuse(verb, path, 'too many symbolic links are on the way');
      pending = isLink ? [...partsOf(found), ...rest] : rest;
      fd = replace(fd, isLink ? rootFor(found) : found);
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** A link to an absolute path starts again at the root; `null` stays where it is. */
function rootFor(link: string): number | null {
  return link.startsWith('/') ? openSync('/', DIRECTORY) : null;
}

function replace(fd: number, next: number | null): number {
  if (next === null) return fd;
  closeSync(fd);
  return next;
}

/** The open directory of that name, or where the symbolic link of that name points. */
function enter(fd: number, name: string): number | string {
  const at = `/proc/self/fd/${fd}/${name}`;
  try {
    return openSync(at, DIRECTORY);
  } catch (error) {
    if (!['ELOOP', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    if (statusAt({ at })?.isSymbolicLink() !== true) throw error;
    return readlinkSync(at);
  }
}

/** Whether only root (or we, if we are not root) can change what the directory holds. */
function isTrusted({ uid, mode }: Stats): boolean {
  const isOurs = uid === 0 || uid === process.geteuid?.();
  return isOurs && (mode & WRITABLE_BY_OTHERS) === 0;
}
