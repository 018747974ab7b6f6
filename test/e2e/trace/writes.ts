import { posix } from 'node:path';
import { callsIn, processIn } from './calls.ts';
import type { Call } from './calls.ts';

/**
 * What a family of processes has written, by the system calls it made. Allowed is only what nobody else can see:
 * `/dev/null`, pipes, and what is in a mount namespace of one's own below a file system in memory that was mounted there.
 */

/** Where a process stands, and which file systems are its own. */
interface Standing {
  directory: string;
  /** `null`: it sees the machine's own. */
  own: string[] | null;
  /** What its descriptors stand for, as paths below /proc/self/fd name them. */
  readonly opened: Map<string, string>;
}

type IsOurs = (pid: number) => boolean;

/** Whether a call wrote nothing that anybody else can see; what it means for its process is noted. */
type Judge = (call: Call, standing: Standing, isOurs: IsOurs) => boolean;

const JUDGES: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ...judging('open openat openat2 creat', opens),
  ...judging('rename renameat renameat2 link linkat', changes(2)),
  ...judging('unlink unlinkat mkdir mkdirat rmdir mknod mknodat truncate ftruncate', changes(1)),
  ...judging('chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat', changes(1)),
  ...judging('utime utimes futimesat utimensat fallocate copy_file_range', changes(1)),
  ...judging('setxattr fsetxattr lsetxattr removexattr fremovexattr lremovexattr', changes(1)),
  ...judging('symlink symlinkat', links),
  ...judging('mount', mounts),
  ...judging('move_mount umount2 pivot_root mount_setattr setns chroot', never),
  ...judging('sethostname setdomainname settimeofday clock_settime adjtimex reboot', never),
  ...judging('init_module finit_module delete_module swapon swapoff quotactl', never),
  // Does things behind the back of whoever watches.
  ...judging('io_uring_setup', never),
  ...judging('kill tkill tgkill pidfd_send_signal', signals),
  ...judging('chdir fchdir', goes),
  ...judging('unshare', parts),
  ...judging('bind', listens),
]);
const FORKING = ['fork', 'vfork', 'clone', 'clone3'];

function judging(names: string, judge: Judge): (readonly [string, Judge])[] {
  return names.split(' ').map((name) => [name, judge] as const);
}

/** For the option `--trace`, which passes over what this machine does not know. */
export const TRACED = [...JUDGES.keys(), ...FORKING].map((name) => `?${name}`).join(',');

/**
 * The calls that wrote something, as strace shows them; of processes that stand in `/` at the beginning, and may end
 * their helpers.
 */
export function writesIn(trace: string, helpers: readonly number[] = []): readonly string[] {
  const standings = new Map<number, Standing>();
  const isOurs: IsOurs = (pid) => standings.has(pid) || helpers.includes(pid);
  return callsIn(trace).flatMap((call) => {
    const standing = standings.get(call.pid) ?? { directory: '/', own: null, opened: new Map() };
    standings.set(call.pid, standing);
    if (FORKING.includes(call.name)) {
      standings.set(processIn(call.answer), { ...standing, opened: new Map(standing.opened) });
      return [];
    }
    const isHarmless = JUDGES.get(call.name)?.(call, standing, isOurs) ?? true;
    if (isHarmless) return [];
    const args = call.args.replace(/(?<=")\/proc\/self\/fd\/\d+(?=")/gu, (path) => {
      return standing.opened.get(path) ?? path;
    });
    return [`${call.name}(${args}) = ${call.answer}`];
  });
}

function opens(call: Call, standing: Standing): boolean {
  const { name, args, answer } = call;
  const [, descriptor = '', file = ''] = /^(\d+)<(.*)>$/u.exec(answer) ?? [];
  standing.opened.set(`/proc/self/fd/${descriptor}`, file);
  // It has no name, and to give it one takes a call of its own.
  if (args.includes('O_TMPFILE')) return true;
  if (name !== 'creat' && !/O_(?:WRONLY|RDWR|CREAT|TRUNC|APPEND)/u.test(args)) return true;
  return isNobodys(file === '' ? (pathsOf(call, standing)[0] ?? '') : file, standing);
}

function changes(count: number): Judge {
  return (call, standing) => {
    const paths = pathsOf(call, standing).slice(0, count);
    return paths.length > 0 && paths.every((path) => isNobodys(path, standing));
  };
}

/** What a link leads to may be anything. */
function links({ args }: Call, standing: Standing): boolean {
  const [, base = standing.directory, path = ''] = LAST_PATH.exec(args) ?? [];
  return isNobodys(posix.resolve(base, path), standing);
}

const LAST_PATH = /(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"$/u;

/** In a namespace of one's own: to part it from the machine's, and a file system in memory. */
function mounts({ args }: Call, { own }: Standing): boolean {
  if (own === null) return false;
  if (/MS_PRIVATE/u.test(args)) return true;
  const [what = '', where = '', kind = ''] = quotedIn(args);
  // Over itself, so that it can be read only: nothing is found elsewhere than it was.
  if (/MS_BIND/u.test(args) && (what === where || isRemount(args))) return true;
  if (kind !== 'tmpfs') return false;
  own.push(where);
  return true;
}

function isRemount(args: string): boolean {
  return args.includes('MS_REMOUNT') && args.includes('MS_RDONLY');
}

function never(): boolean {
  return false;
}

/** To look whether it is there, or to end what one has started. */
function signals({ args }: Call, _standing: Standing, isOurs: IsOurs): boolean {
  return args.endsWith(', 0') || isOurs(Math.abs(processIn(args)));
}

function goes({ name, args }: Call, standing: Standing): boolean {
  const to = name === 'chdir' ? quotedIn(args)[0] : /<(.*)>/u.exec(args)?.[1];
  standing.directory = posix.resolve(standing.directory, to ?? '');
  return true;
}

function parts({ args }: Call, standing: Standing): boolean {
  if (args.includes('CLONE_NEWNS')) standing.own = [...(standing.own ?? [])];
  return true;
}

/** Where no file stands for it, or one that nobody else sees. */
function listens({ args }: Call, standing: Standing): boolean {
  const path = /sun_path="([^"]*)"/u.exec(args)?.[1];
  return path === undefined || isNobodys(posix.resolve(standing.directory, path), standing);
}

function isNobodys(path: string, { own }: Standing): boolean {
  if (path === '/dev/null' || /^(?:pipe|socket):\[\d+\]$/u.test(path)) return true;
  return own?.some((base) => path === base || path.startsWith(`${base}/`)) === true;
}

/** All files that a call names, by path or by descriptor. */
function pathsOf({ args }: Call, { directory, opened }: Standing): readonly string[] {
  const named = [...args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/gu)];
  if (named.length === 0) return [...args.matchAll(/\d+<([^>]*)>/gu)].map(([, path = '']) => path);
  return named.map(([, base = directory, path = '']) => {
    const whole = posix.resolve(base, path);
    return opened.get(whole) ?? whole;
  });
}

function quotedIn(args: string): readonly string[] {
  return [...args.matchAll(/"((?:[^"\\]|\\.)*)"/gu)].map(([, text = '']) => text);
}
