import { closeSync, constants, fstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';
import { explaining, refuse } from './file-error.ts';
import type { FileStatus } from './host.ts';
import { openTrusted, statusAt } from './safe-path.ts';

/** A run does one thing at a time, and synchronous calls are many times faster than promises. */

/** What Node can hold of one file. */
const MOST_BYTES = 2 ** 31 - 1;
const TOO_LARGE =
  'it is larger than 2 GiB, more than states handle (have a command copy it: cmd.run with `creates` or `unless`)';

/** See `HostView.readFile`. Never waits for a pipe that nobody writes to. */
export function readFile(path: string): Uint8Array | null {
  return explaining('read', path, () =>
    unlessMissing(() => {
      const fd = openTrusted('read', path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        const status = fstatSync(fd);
        if (status.isDirectory()) throw refuse('read', path, 'it is a directory');
        if (!status.isFile()) throw refuse('read', path, 'it is not a regular file');
        if (status.size > MOST_BYTES) throw refuse('read', path, TOO_LARGE);
        return readFileSync(fd);
      } finally {
        closeSync(fd);
      }
    }),
  );
}

/** See `HostView.list`. */
export function list(path: string): readonly string[] | null {
  return explaining('list', path, () =>
    unlessMissing(() => {
      const fd = openTrusted('list', path, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        return readdirSync(`/proc/self/fd/${fd}`).toSorted();
      } finally {
        closeSync(fd);
      }
    }),
  );
}

/** See `HostView.readLink`. */
export function readLink(path: string): string | null {
  return explaining('read', path, () => {
    try {
      return readlinkSync(path);
    } catch (error) {
      if (['EINVAL', 'ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null;
      throw error;
    }
  });
}

/** The names that numbers have on this host. */
export interface Names {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

/** See `HostView.status`. */
export function status(path: string, names: Names): FileStatus | null {
  const found = explaining('look at', path, () => statusAt({ at: path }));
  return found === null ? null : statusFrom(found, names);
}

/** What the system says of a thing, in our words. */
export function statusFrom(found: Stats, names: Names): FileStatus {
  const { uid, gid, size, mtimeMs, atimeMs, ctimeMs, nlink, dev, ino } = found;
  return {
    kind: kindOf(found),
    mode: (found.mode & 0o7777).toString(8).padStart(4, '0'),
    uid,
    gid,
    user: names.users.get(uid) ?? String(uid),
    group: names.groups.get(gid) ?? String(gid),
    size,
    mtimeMs,
    atimeMs,
    ctimeMs,
    links: nlink,
    inode: `${dev}:${ino}`,
  };
}

function kindOf(found: Stats): FileStatus['kind'] {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'directory';
  return found.isSymbolicLink() ? 'symlink' : 'other';
}

function unlessMissing<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
}
