import { posix } from 'node:path';
import { ConductorError } from '../../../shared/errors.ts';
import type { HostView } from '../../host/host.ts';
import { mountOf, readMounts } from './mount-table.ts';
import { nearestThere, refuseParents } from './ownership.ts';

/** What can be told of a place before anything is written, moved or removed there. */

/** Refuses to write where there is no directory for it, or where nothing can be written. */
export async function refusePlace(
  place: { readonly name: string; readonly makedirs: boolean },
  host: HostView,
): Promise<void> {
  await refuseParents(place, host);
  await refuseFixed(place.name, host);
}

/** Refuses to change what nobody can change as it is: on a file system that is read-only, or marked by chattr. */
export async function refuseFixed(path: string, host: HostView): Promise<void> {
  await refuseReadOnly(path, host);
  await refuseMarked([path], host);
  const mark = await markOfDirectory(posix.dirname(path), host);
  if (mark !== null) throw marked(path, mark);
}

/** Read once for all that changes in it: only a command gives marks to directories. */
async function markOfDirectory(path: string, host: HostView): Promise<Mark | null> {
  const status = await host.status(path);
  return host.shared(`mark of ${path} (${status?.inode ?? 'none'})`, () => findMark([path], host));
}

/** Refuses to change what root has marked so that nobody does. */
export async function refuseMarked(paths: readonly string[], host: HostView): Promise<void> {
  const mark = await findMark(paths, host);
  if (mark !== null) throw marked(mark.path, mark);
}

/** Letters of chattr that keep even root from replacing a file, and from replacing one in a directory. */
const MARKS: Readonly<Record<string, string>> = { i: 'immutable', a: 'only to be appended to' };

interface Mark {
  readonly path: string;
  readonly letter: string;
}

/** The first of the paths that is marked so; links and what is not there are not. */
async function findMark(paths: readonly string[], host: HostView): Promise<Mark | null> {
  const there: string[] = [];
  for (const path of paths) {
    const kind = (await host.status(path))?.kind;
    if (kind === 'file' || kind === 'directory') there.push(path);
  }
  if (there.length === 0) return null;
  // Where a file system has no such marks it says so, and nothing is marked.
  const { stdout } = await host.query(['lsattr', '-d', '--', ...there]);
  for (const line of stdout.split('\n')) {
    const [letters = ''] = line.split(' ');
    const letter = [...letters].find((one) => one in MARKS);
    if (letter !== undefined) return { path: line.slice(letters.length + 1), letter };
  }
  return null;
}

function marked(changed: string, { path, letter }: Mark): ConductorError {
  const what = changed === path ? 'it' : `"${path}"`;
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot change "${changed}": ${what} is ${MARKS[letter]} (chattr -${letter} lifts that)`,
    { lacks: [`mark:${path}`] },
  );
}

/** Refuses to change anything on a file system that is read-only. */
export async function refuseReadOnly(path: string, host: HostView): Promise<void> {
  const mounts = await readMounts(host);
  if (mountOf(mounts, path)?.options.includes('ro') !== true) return;
  // A symbolic link on the way to it may lead to a file system that is not.
  const real = await realPath(path, host);
  if (mountOf(mounts, real)?.options.includes('ro') !== true) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot change "${path}": its file system is read-only`,
  );
}

/** Where a path leads if all symbolic links on the way are followed. */
export async function realPath(path: string, host: HostView): Promise<string> {
  const answer = await host.query(['realpath', '--canonicalize-missing', '--', path]);
  return answer.exitCode === 0 ? answer.stdout.replace(/\n$/u, '') : path;
}

/** Refuses to remove what is a mount point or has one in it: what is mounted may be of great worth. */
export async function refuseMounts(paths: readonly string[], host: HostView): Promise<void> {
  for (const { path: point } of await readMounts(host)) {
    const path = paths.find((one) => point === one || point.startsWith(`${one}/`));
    if (path === undefined) continue;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot remove "${path}": something is mounted at "${point}"`,
      { inTheWay: [`path:${point}`, `mount:${point}`] },
    );
  }
}

/** Refuses what only goes within one file system. */
export async function refuseOtherFileSystem(
  { what, from, to }: { readonly what: string; readonly from: string; readonly to: string },
  host: HostView,
): Promise<void> {
  const places = [posix.dirname(from), await nearestThere(posix.dirname(to), host)] as const;
  const answer = await host.query(['stat', '--dereference', '--format=%d', '--', ...places]);
  const [first, second] = answer.stdout.trim().split('\n');
  if (answer.exitCode !== 0 || first === second) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot ${what}: the two places are on different file systems`,
  );
}

interface Room {
  readonly path: string;
  /** Where what stands there is moved; it is removed if absent. */
  readonly backupname: string | undefined;
}

/** Refuses to make room where what stands there cannot be removed, or moved to where it is to be kept. */
export async function refuseRoom({ path, backupname }: Room, host: HostView): Promise<void> {
  if (backupname === undefined) return refuseMounts([path], host);
  if ((await host.status(backupname)) !== null) {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot move "${path}" to "${backupname}": something is there already`,
      { inTheWay: [`path:${backupname}`] },
    );
  }
  await refusePlace({ name: backupname, makedirs: false }, host);
}
