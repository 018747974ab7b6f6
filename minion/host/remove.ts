import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { explaining, refuse } from './file-error.ts';
import { atPath, statusAt } from './safe-path.ts';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const DEEPEST = 500;

/**
 * Removes what stands at a path, a directory with all that is in it; nothing there is fine. No
 * symbolic link is followed and no mount point entered, whoever moves things about meanwhile.
 */
export function remove(path: string): void {
  explaining('remove', path, () => {
    // Where a directory on the way is missing, there is nothing to remove.
    if (statusAt({ at: path }) === null) return;
    atPath('remove', path, (spot) => {
      const now = statusAt(spot);
      if (now === null) return;
      if (now.isDirectory()) removeDirectory(Buffer.from(spot.at), path, fstatSync(spot.fd).dev, 0);
      else unlinkSync(spot.at);
      fsyncSync(spot.fd);
    });
  });
}

function removeDirectory(at: Buffer, path: string, device: number, depth: number): void {
  if (depth > DEEPEST) throw refuse('remove', path, `it is nested more than ${DEEPEST} deep`);
  const fd = openSync(at, DIRECTORY);
  try {
    if (fstatSync(fd).dev !== device) throw refuse('remove', path, 'a mount point is in it');
    const here = `/proc/self/fd/${fd}`;
    for (const entry of readdirSync(here, { withFileTypes: true, encoding: 'buffer' })) {
      const inside = Buffer.concat([Buffer.from(`${here}/`), entry.name]);
      if (entry.isDirectory()) removeDirectory(inside, path, device, depth + 1);
      else unlinkSync(inside);
    }
  } finally {
    closeSync(fd);
  }
  rmdirSync(at);
}
