import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';
import { explaining, refuse } from './file-error.ts';
import type { FoundBelow } from './host.ts';
import { statusFrom } from './read-files.ts';
import type { Names } from './read-files.ts';
import { openTrusted, statusAt } from './safe-path.ts';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const DEEPEST = 500;

interface Walk {
  readonly path: string;
  readonly names: Names;
  readonly maxDepth: number;
  readonly found: FoundBelow[];
}

/** See `HostView.walk`. Every directory is held open while it is looked through. */
export function walk(
  path: string,
  { names, maxDepth = DEEPEST }: { readonly names: Names; readonly maxDepth?: number },
): readonly FoundBelow[] | null {
  const walking: Walk = { path, names, maxDepth, found: [] };
  return explaining('look through', path, () => {
    const fd = unlessGone(() =>
      openTrusted('look through', path, DIRECTORY & ~constants.O_NOFOLLOW),
    );
    if (fd === null) return null;
    lookThrough(fd, '', walking, 0);
    return walking.found;
  });
}

/** Closes the directory. */
function lookThrough(fd: number, below: string, walking: Walk, depth: number): void {
  const { path, names, maxDepth, found } = walking;
  if (depth > DEEPEST) throw refuse('look through', path, `it is nested more than ${DEEPEST} deep`);
  try {
    const here = `/proc/self/fd/${fd}`;
    for (const name of namesIn(here, walking)) {
      const at = `${here}/${name}`;
      const stats = statusAt({ at });
      if (stats === null) continue;
      found.push({ ...statusFrom(stats, names), path: below + name });
      const isEntered = stats.isDirectory() && depth < maxDepth;
      const inside = isEntered ? unlessGone(() => openSync(at, DIRECTORY)) : null;
      if (inside !== null) lookThrough(inside, `${below}${name}/`, walking, depth + 1);
    }
  } finally {
    closeSync(fd);
  }
}

function namesIn(here: string, { path }: Walk): string[] {
  const names = readdirSync(here);
  if (names.some((name) => name.includes('\u{FFFD}'))) refuseOdd(here, path);
  return names.toSorted();
}

/** What is no UTF-8 text is read as if it held a replacement character, which a name may really hold. */
function refuseOdd(here: string, path: string): void {
  const names = readdirSync(here, { encoding: 'buffer' });
  const odd = names.find((name) => !Buffer.from(name.toString('utf8')).equals(name));
  if (odd === undefined) return;
  const shown = odd.toString('utf8');
  throw refuse('look through', path, `the name of a file in it is no UTF-8 text: "${shown}"`);
}

/** What others move or remove meanwhile is passed over. */
function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
}
