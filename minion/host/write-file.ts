import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';
import { explaining, refuse } from './file-error.ts';
import { giveTo } from './ownership.ts';
import type { Owner } from './ownership.ts';
import { atPath, statusAt } from './safe-path.ts';
import type { Spot } from './safe-path.ts';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const NEW_MODE = 0o644;
const LONGEST_NAME = 230;

/**
 * Replaces a file in one step. A reader finds the old or the new content, with no mode in between
 * that is wider than either; after a power loss it is one of the two as well.
 */
export function writeFile(path: string, content: string | Uint8Array, owner: Owner): void {
  explaining('write', path, () =>
    atPath('write', path, (spot) => {
      const fd = stage(spot, content, owner);
      try {
        fsyncSync(fd);
        renameSync(stagingName(spot), spot.at);
      } catch (error) {
        unstage(spot);
        throw error;
      } finally {
        closeSync(fd);
      }
      fsyncSync(spot.fd);
    }),
  );
}

/**
 * One name per file, so that what a killed run left is cleared by the next and never piles up.
 * It begins with a dot: programs that read a directory of configuration files pass it over.
 */
export function stagingName({ directory, name }: Pick<Spot, 'directory' | 'name'>): string {
  const isLong = Buffer.byteLength(name) > LONGEST_NAME;
  const own = isLong ? createHash('sha256').update(name).digest('hex') : name;
  return `${directory}/.${own}.conductor`;
}

/** Writes the new content beside the file, and leaves it open: it is not safe on the disk yet. */
export function stage(spot: Spot, content: string | Uint8Array, owner: Owner): number {
  const target = statusAt(spot);
  if (target !== null) refuseUnlessPlain(target, spot.path);
  const fd = create(stagingName(spot));
  try {
    writeFileSync(fd, content);
    giveTo(fd, inheriting(owner, target));
    return fd;
  } catch (error) {
    closeSync(fd);
    unstage(spot);
    throw error;
  }
}

/** What a killed run has left is in the way of a new file only. */
function create(staged: string): number {
  try {
    return openSync(staged, CREATE, 0o600);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    rmSync(staged);
    return openSync(staged, CREATE, 0o600);
  }
}

/** Takes away what was staged; that it is gone already is as good. */
export function unstage(spot: Spot): void {
  rmSync(stagingName(spot), { force: true });
}

function refuseUnlessPlain(target: Stats, path: string): void {
  if (target.isSymbolicLink()) throw refuse('write', path, 'a symbolic link is there');
  if (target.isDirectory()) throw refuse('write', path, 'a directory is there');
  if (!target.isFile()) throw refuse('write', path, 'it is not a regular file');
  if (target.nlink > 1) throw refuse('write', path, `it has ${target.nlink} hard links`);
}

/** What is not said stays as it is; a new file is root's. */
function inheriting({ uid, gid, mode, ...times }: Owner, target: Stats | null): Owner {
  return {
    uid: uid ?? target?.uid ?? null,
    gid: gid ?? target?.gid ?? null,
    mode: mode ?? (target === null ? NEW_MODE : target.mode & 0o7777),
    ...times,
  };
}
