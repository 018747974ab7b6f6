import { readdirSync, readFileSync } from 'node:fs';
import { run } from '../hosts/command.ts';
import type { Host } from '../hosts/host.ts';

/** Looking at hosts from outside, so that nothing on them is disturbed by it. */

/** What the system itself writes while nobody does anything. */
const SYSTEM =
  /^\/(?:var|run)\/log\/journal(?:\/|$)|^\/run\/(?:systemd\/(?:journal|units|transient|propagate))(?:\/|$)/u;

/** Every file and directory of a host with all that can be told of it without opening it, by path. */
export async function manifest(host: Host): Promise<ReadonlyMap<string, string>> {
  const volatile = ['run', 'tmp', 'dev/shm'].map((path) => `/proc/${host.leader}/root/${path}`);
  const all = new Map<string, string>();
  for (const [start, base] of [
    [host.root, host.root],
    ...volatile.map((path) => [path, `/proc/${host.leader}/root`] as const),
  ] as const) {
    const format = '%p\\t%y %m %U:%G %s %T@ %C@ %l\\n';
    const { stdout } = await run(['find', start, '-xdev', '-printf', format]);
    for (const line of stdout.split('\n')) {
      const [path = '', about = ''] = line.split('\t');
      const inside = path.slice(base.length);
      if (inside !== '' && !SYSTEM.test(inside)) all.set(inside, about);
    }
  }
  return all;
}

/** What differs between two manifests: the paths, each with how it was and is. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${path}: ${before.get(path) ?? 'not there'} -> ${after.get(path) ?? 'gone'}`)
    .toSorted();
}

/** Looks at the command lines and environments of all processes, again and again, for a text that must not be there. */
export function watchProcesses(text: string): { stop(): { looks: number; found: string[] } } {
  const found = new Set<string>();
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/u.test(name))) {
      for (const file of ['cmdline', 'environ']) {
        if (readOrNothing(`/proc/${pid}/${file}`).includes(text)) found.add(`${file} of ${pid}`);
      }
    }
  }, 50);
  return {
    stop: () => {
      clearInterval(timer);
      return { looks, found: [...found] };
    },
  };
}

/** A process may end while it is looked at. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The files of a host's disk that hold a text, as `MODE PATH`. */
export async function filesWith(host: Host, text: string): Promise<string[]> {
  const argv = ['grep', '-rlFZ', '--binary-files=text', '--devices=skip', '-e', text] as const;
  const places = ['etc', 'home', 'opt', 'root', 'srv', 'tmp', 'usr/local', 'var'];
  const roots = places.map((place) => `${host.root}/${place}`);
  const { stdout } = await run([...argv, ...roots], { allowFailure: true });
  const paths = stdout.split('\0').filter((path) => path !== '');
  if (paths.length === 0) return [];
  const shown = await run(['stat', '--format=%a %n', ...paths]);
  return shown.stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(host.root, ''))
    .toSorted();
}

/** System calls, as strace prints them, that change something on a disk. */
export function changingCalls(trace: string): string[] {
  return trace.split('\n').filter((line) => {
    const call = /^(?:\[pid\s+\d+\] )?(\w+)\((.*)$/u.exec(line);
    if (call === null || / = -1 E/u.test(line)) return false;
    const [, name = '', args = ''] = call;
    if (!name.startsWith('open')) return true;
    const isHarmless = /"\/(?:dev\/(?:null|tty|pts\/\d+|fd\/\d+)|proc\/[^"]*)"/u.test(args);
    return /O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)/u.test(args) && !isHarmless;
  });
}

/** The calls to trace for `changingCalls`. */
export const CHANGING_CALLS = `
  open openat openat2 creat rename renameat renameat2 unlink unlinkat mkdir mkdirat rmdir link linkat symlink symlinkat
  mknod mknodat truncate ftruncate chmod fchmod fchmodat chown fchown lchown fchownat utimensat setxattr fsetxattr
  lsetxattr removexattr fallocate`
  .trim()
  .split(/\s+/u);
