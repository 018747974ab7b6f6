import { posix } from 'node:path';
import type { HostView } from '../../host/host.ts';

/** One mount, as the kernel tells of it. */
export interface Mount {
  /** Number of the file system, such as `254:1`. */
  readonly number: string;
  /** The directory of that file system that stands at the path. */
  readonly root: string;
  readonly path: string;
  readonly fstype: string;
  readonly source: string;
  /** Of the mount, then of the file system. */
  readonly options: readonly string[];
}

/** All mounts in the order in which they were made. Asked for anew each time: any command may mount something. */
export async function readMounts(host: HostView): Promise<readonly Mount[]> {
  const bytes = await host.readFile('/proc/self/mountinfo');
  return parseMountinfo(Buffer.from(bytes ?? []).toString());
}

export function parseMountinfo(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right] = line.split(' - ');
    if (right === undefined) return [];
    const [, , number = '', root = '', path = '', own = ''] = left.split(' ');
    const [fstype = '', source = '', of = ''] = right.split(' ');
    const options = [...own.split(','), ...of.split(',')];
    const names = { root: unescaped(root), path: unescaped(path), source: unescaped(source) };
    return [{ number, fstype, options, ...names }];
  });
}

/** Spaces and the like stand there, and in fstab, as octal digits. */
export function unescaped(text: string): string {
  return text.replaceAll(/\\(?<digits>[0-7]{3})/gu, (_all, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}

/** What is mounted at a path: the last of several, which hides the others; `null` if nothing is. */
export function mountAt(mounts: readonly Mount[], path: string): Mount | null {
  return mounts.findLast((mount) => mount.path === path) ?? null;
}

/** The mount that a path is in, if no symbolic link stands on the way to it. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  for (let at = path; ; at = posix.dirname(at)) {
    const mount = mountAt(mounts, at);
    if (mount !== null || at === '/') return mount;
  }
}

/** Where a path is: on which file system, and where on that. */
export function spotOf(
  mounts: readonly Mount[],
  path: string,
): { number: string; root: string } | null {
  const mount = mountOf(mounts, path);
  if (mount === null) return null;
  const { number, root, path: at } = mount;
  return { number, root: posix.join(root, posix.relative(at, path)) };
}

const SIZES: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
/** Said to mount or systemd and not to the kernel, or what the kernel does without being asked. */
const UNSEEN =
  /^(?:defaults|auto|noauto|nofail|users?|nouser|owner|group|_netdev|r?bind|loop(?:=.*)?|x-.*|comment=.*|size=.*%)$/u;
/** The flags that every file system has, and what stands against each. */
const OPPOSITES: ReadonlyMap<string, string> = new Map([
  ['rw', 'ro'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['exec', 'noexec'],
  ['async', 'sync'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
]);
const FLAGS: readonly string[] = [
  ...OPPOSITES.values(),
  'relatime',
  'strictatime',
  'dirsync',
  'lazytime',
];

/**
 * Whether a mount has the options that are asked for, as far as the kernel tells: its flags, and
 * settings of which it shows another value. An option of a file system that it does not show is
 * taken for granted.
 */
export function hasOptions(mount: Mount, asked: readonly string[]): boolean {
  const live = new Set(mount.options.map(canonical));
  const keys = new Set([...live].map(keyOf));
  return asked
    .filter((option) => !UNSEEN.test(option))
    .map(canonical)
    .every((option) => {
      const opposite = OPPOSITES.get(option);
      if (opposite !== undefined) return !live.has(opposite);
      if (live.has(option)) return true;
      if (option === 'strictatime') return !live.has('relatime') && !live.has('noatime');
      return !FLAGS.includes(option) && !keys.has(keyOf(option));
    });
}

function keyOf(option: string): string {
  return option.includes('=') ? option.slice(0, option.indexOf('=')) : `${option} `;
}

/** `size=1m` is `size=1048576`, `mode=0750` is `mode=750`. */
function canonical(option: string): string {
  const key = keyOf(option);
  const value = option.slice(key.length + 1);
  const { digits, unit = '' } = /^(?<digits>\d+)(?<unit>[kmg]?)$/iu.exec(value)?.groups ?? {};
  if (!option.includes('=') || digits === undefined) return option;
  if (key === 'mode') return `mode=${Number(digits)}`;
  return `${key}=${Number(digits) * (SIZES[unit.toLowerCase()] ?? 1)}`;
}
