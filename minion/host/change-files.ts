import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lchownSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { explaining, refuse } from './file-error.ts';
import { giveTo } from './ownership.ts';
import type { Owner } from './ownership.ts';
import { atPath, statusAt } from './safe-path.ts';
import { stagingName } from './write-file.ts';

const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NEW_MODE = 0o755;

/** See `Host.makeDirectory`. It is nobody else's from the first moment on. */
export function makeDirectory(path: string, owner: Owner): void {
  explaining('make', path, () =>
    atPath('make', path, (spot) => {
      mkdirSync(spot.at, { mode: 0o700 });
      const fd = openSync(spot.at, OPEN | constants.O_DIRECTORY);
      try {
        if (fstatSync(fd).uid !== process.geteuid?.()) {
          throw refuse('make', path, 'somebody has put another directory in its place');
        }
        giveTo(fd, { ...owner, mode: owner.mode ?? NEW_MODE });
      } finally {
        closeSync(fd);
      }
      fsyncSync(spot.fd);
    }),
  );
}

/** See `Host.own`. A symbolic link has an owner and no mode of its own. */
export function own(path: string, owner: Owner): void {
  explaining('own', path, () =>
    atPath('own', path, (spot) => {
      const now = statusAt(spot);
      if (now === null) throw refuse('own', path, 'it does not exist');
      if (now.isSymbolicLink()) {
        lchownSync(spot.at, owner.uid ?? now.uid, owner.gid ?? now.gid);
        return;
      }
      if (!now.isFile() && !now.isDirectory()) throw refuse('own', path, 'it is a special file');
      const fd = openSync(spot.at, OPEN);
      try {
        const { nlink } = fstatSync(fd);
        if (now.isFile() && nlink > 1) throw refuse('own', path, `it has ${nlink} hard links`);
        giveTo(fd, owner);
      } finally {
        closeSync(fd);
      }
    }),
  );
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
      const { uid, gid } = statusAt({ at: staged }) ?? { uid: 0, gid: 0 };
      lchownSync(staged, owner.uid ?? uid, owner.gid ?? gid);
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
