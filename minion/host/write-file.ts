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
      const target = statusAt(spot);
      if (target !== null) refuseUnlessPlain(target, path);
      const staged = stagingName(spot);
      try {
        stage(staged, content, inheriting(owner, target));
        renameSync(staged, spot.at);
      } catch (error) {
        rmSync(staged, { force: true });
        throw error;
      }
      fsyncSync(spot.fd);
    }),
  );
}

/**
 * One name per file, so that what a killed run left is cleared by the next and never piles up.
 * It begins with a dot: programs that read a directory of configuration files pass it over.
 */
export function stagingName({ directory, name }: Spot): string {
  return `${directory}/.${name.slice(0, LONGEST_NAME)}.conductor`;
}

function stage(staged: string, content: string | Uint8Array, owner: Owner): void {
  rmSync(staged, { force: true });
  const fd = openSync(staged, CREATE, 0o600);
  try {
    writeFileSync(fd, content);
    giveTo(fd, owner);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
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
