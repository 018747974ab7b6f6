import { closeSync, constants, fstatSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { posix } from 'node:path';
import { explaining, refuse } from './file-error.ts';
import { giveTo } from './ownership.ts';
import type { Owner } from './ownership.ts';
import { atPath, besideSpot } from './safe-path.ts';
import type { Spot } from './safe-path.ts';

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY;
const NEW_MODE = 0o755;

/** See `Host.makeDirectory`. It is nobody else's from the first moment on. */
export function makeDirectory(path: string, owner: Owner): void {
  makeDirectories([path], owner);
}

/** See `Host.makeDirectories`. Those in one directory are brought to the disk together. */
export function makeDirectories(paths: readonly string[], owner: Owner): void {
  const byParent = new Map<string, string[]>();
  for (const path of paths) {
    const parent = posix.dirname(path);
    const siblings = byParent.get(parent);
    if (siblings === undefined) byParent.set(parent, [path]);
    else siblings.push(path);
  }
  // What is in another of them comes after it, as it does in the list.
  for (const siblings of byParent.values()) makeSiblings(siblings, owner);
}

function makeSiblings([first = '', ...others]: readonly string[], owner: Owner): void {
  explaining('make', first, () =>
    atPath('make', first, (spot) => {
      makeAt(spot, owner);
      for (const path of others)
        explaining('make', path, () => makeAt(besideSpot('make', path, spot), owner));
      fsyncSync(spot.fd);
    }),
  );
}

function makeAt({ at, path }: Spot, owner: Owner): void {
  mkdirSync(at, { mode: 0o700 });
  const fd = openSync(at, OPEN);
  try {
    const made = fstatSync(fd);
    if (made.uid !== process.geteuid?.())
      throw refuse('make', path, 'somebody has put another directory in its place');
    giveTo(fd, { ...owner, mode: owner.mode ?? NEW_MODE }, made);
  } finally {
    closeSync(fd);
  }
}
