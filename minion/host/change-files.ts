import {
  chownSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { explaining, refuse } from './file-error.ts';
import { giveTo } from './ownership.ts';
import type { Owner } from './ownership.ts';
import { atPath, statusAt } from './safe-path.ts';
import type { Spot } from './safe-path.ts';
import { stagingName } from './write-file.ts';

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Opens what stands there and not its content, so a symbolic link too; Node has no name for it. */
const O_PATH = 0o10000000;

/** See `Host.own`. A symbolic link has an owner and no mode of its own. */
export function own(path: string, owner: Owner): void {
  explaining('own', path, () =>
    atPath('own', path, (spot) => {
      if (!ownAt(spot, owner)) throw refuse('own', path, 'it does not exist');
    }),
  );
}

/** See `Host.ownIn`. The way to the directory is walked once. */
export function ownIn(directory: string, owners: ReadonlyMap<string, Owner>): void {
  const [first] = owners.keys();
  if (first === undefined) return;
  explaining('own', directory, () =>
    atPath('own', `${directory}/${first}`, (spot) => {
      for (const [name, owner] of owners) {
        const path = `${directory}/${name}`;
        explaining('own', path, () =>
          ownAt({ ...spot, name, path, at: `${spot.directory}/${name}` }, owner),
        );
      }
    }),
  );
}

/** Says whether there was anything. */
function ownAt(spot: Spot, owner: Owner): boolean {
  const { at, path } = spot;
  const now = statusAt(spot);
  if (now === null) return false;
  if (now.isSymbolicLink()) {
    giveLink(at, path, owner);
    return true;
  }
  if (!now.isFile() && !now.isDirectory()) throw refuse('own', path, 'it is a special file');
  const fd = openSync(at, OPEN);
  try {
    // What was looked at may have been another thing than what has been opened.
    const opened = fstatSync(fd);
    const isOrdinary = opened.isFile() || opened.isDirectory();
    if (!isOrdinary) throw refuse('own', path, 'it is a special file');
    if (opened.isFile() && opened.nlink > 1)
      throw refuse('own', path, `it has ${opened.nlink} hard links`);
    giveTo(fd, owner, opened);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** See `Host.hardLink`. */
export function hardLink(path: string, to: string): void {
  explaining('link', path, () =>
    atPath('link', to, (source) =>
      atPath('link', path, (spot) => {
        if (statusAt(source)?.isFile() !== true)
          throw refuse('link', path, `"${to}" is no regular file`);
        if (statusAt(spot)?.isDirectory() === true)
          throw refuse('link', path, 'a directory is there');
        const staged = stagingName(spot);
        rmSync(staged, { force: true });
        linkSync(source.at, staged);
        renameSync(staged, spot.at);
        // Two names of one file are left as they are by a rename.
        rmSync(staged, { force: true });
        fsyncSync(spot.fd);
      }),
    ),
  );
}

/** Holds the link open, so that nobody gets another file given by putting it in the link's place. */
function giveLink(at: string, path: string, { uid, gid }: Owner): void {
  const fd = openSync(at, O_PATH | constants.O_NOFOLLOW);
  try {
    const opened = fstatSync(fd);
    if (!opened.isSymbolicLink() || opened.nlink > 1)
      throw refuse('own', path, 'somebody has put another file in its place');
    const owner = [uid ?? opened.uid, gid ?? opened.gid] as const;
    if (owner[0] !== opened.uid || owner[1] !== opened.gid)
      chownSync(`/proc/self/fd/${fd}`, ...owner);
  } finally {
    closeSync(fd);
  }
}

/** See `Host.link`. Replaces a symbolic link only. */
export function link(path: string, to: string, owner: Owner): void {
  explaining('link', path, () =>
    atPath('link', path, (spot) => {
      const now = statusAt(spot);
      if (now !== null && !now.isSymbolicLink()) {
        throw refuse('link', path, 'something that is no symbolic link is there');
      }
      const staged = stagingName(spot);
      rmSync(staged, { force: true });
      symlinkSync(to, staged);
      giveLink(staged, path, owner);
      renameSync(staged, spot.at);
      fsyncSync(spot.fd);
    }),
  );
}

/** See `Host.rename`. */
export function rename(from: string, to: string): void {
  explaining('rename', from, () =>
    atPath('rename', from, (source) =>
      atPath('rename', to, (target) => {
        renameSync(source.at, target.at);
        fsyncSync(source.fd);
        fsyncSync(target.fd);
      }),
    ),
  );
}
