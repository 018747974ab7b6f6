import { execFileSync } from 'node:child_process';
import { setTimeout as after } from 'node:timers/promises';
import { LABORATORY } from './places.ts';

/** What is on the disk of this host, and what has been written to it since. */

/** What the system and its daemons write by themselves. */
const BY_ITSELF = [
  '/var/log',
  '/var/lib/systemd',
  '/var/lib/postgresql',
  '/var/lib/mysql',
  '/var/lib/redis',
  '/var/lib/private',
  '/dev/shm/PostgreSQL.*',
  '/tmp/systemd-private-*',
  '/var/tmp/systemd-private-*',
  // Where other file systems begin, those that are not looked at.
  '/run',
  '/proc',
  '/sys',
  '/dev',
  LABORATORY,
] as const;

const PRUNED = BY_ITSELF.flatMap((path, index) => [...(index === 0 ? [] : ['-o']), '-path', path]);
const MOUNTED = ['/', '/tmp', '/dev/shm'];

/** Remembers this moment: what is written from now on is newer. File times are as coarse as the clock's ticks. */
export async function stamp(name: string): Promise<string> {
  const path = `${LABORATORY}/stamp-${name}`;
  execFileSync('touch', [path]);
  await after(15);
  return path;
}

/**
 * Everything that has been made, changed or moved since, and every directory in which something was. A quick look
 * leaves out `/usr`, where nine of ten files are.
 */
export function writtenSince(
  stampPath: string,
  { isQuick = false }: { readonly isQuick?: boolean } = {},
): readonly string[] {
  if (isQuick)
    return lines([
      ...MOUNTED,
      '-xdev',
      '(',
      '-path',
      '/usr',
      '-o',
      ...PRUNED,
      ')',
      '-prune',
      '-o',
      '-cnewer',
      stampPath,
    ]);
  return lines([...MOUNTED, '-xdev', '(', ...PRUNED, ')', '-prune', '-o', '-cnewer', stampPath]);
}

/** Files that have been written since anywhere but in the kernel's own file systems. */
export function filesSince(stampPath: string, except: readonly string[]): readonly string[] {
  const skipped = [...BY_ITSELF.filter((path) => path !== '/run'), ...except];
  const prune = skipped.flatMap((path) => ['-path', path, '-o']);
  const roots = [...MOUNTED, '/run'];
  const since = ['-type', 'f', '-cnewer', stampPath];
  return lines([...roots, '-xdev', '(', ...prune.slice(0, -1), ')', '-prune', '-o', ...since]);
}

/** Every path with what it is: kind, mode, owners, size, content's time; of what may be put back, the content itself. */
export function snapshot(): ReadonlyMap<string, string> {
  const format = ['-printf', '%p\\t%y %m %U %G %s %T@ %l\\0'];
  const argv = [...MOUNTED, '-xdev', '(', ...PRUNED, ')', '-prune', '-o', ...format];
  const listed = find(argv).split('\0').filter(Boolean);
  const contents = digests('/etc');
  return new Map(
    listed.map((line) => {
      const at = line.indexOf('\t');
      const about = line.slice(at + 1);
      // A file that was staged and removed again leaves the directory as it was, but for its time.
      const path = line.slice(0, at);
      const content = contents.get(path);
      if (content !== undefined) return [path, `${about.split(' ', 5).join(' ')} ${content}`];
      return [path, about.startsWith('d') ? about.split(' ', 4).join(' ') : about];
    }),
  );
}

function digests(directory: string): ReadonlyMap<string, string> {
  const argv = [directory, '-xdev', '-type', 'f', '-exec', 'sha256sum', '--zero', '{}', '+'];
  const listed = find(argv).split('\0').filter(Boolean);
  return new Map(listed.map((line) => [line.slice(66), line.slice(0, 64)]));
}

/** What is only known of elsewhere, or remembered of a run: having looked again there is no change of the host. */
const KNOWLEDGE = /^\/var\/(?:cache\/apt|lib\/apt\/lists|lib\/conductor\/minion)(?:\/|$)/u;

/** Paths that are no longer what they were. */
export function differing(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): readonly string[] {
  const gone = [...before.keys()].filter((path) => !now.has(path));
  const other = [...now].filter(([path, about]) => before.get(path) !== about);
  const changed = [...gone.map((path) => `${path} (gone)`), ...other.map(([path]) => path)];
  return changed.filter((path) => !KNOWLEDGE.test(path));
}

function lines(argv: readonly string[]): readonly string[] {
  return find([...argv, '-print'])
    .split('\n')
    .filter(Boolean);
}

/** Exit code 1 is a file that went away meanwhile. */
function find(argv: readonly string[]): string {
  try {
    return execFileSync('find', argv, {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string')
      return error.stdout;
    throw error;
  }
}
