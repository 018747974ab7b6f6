import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { readMounts, spotOf } from '../../lib/mount-table.ts';
import type { Mount } from '../../lib/mount-table.ts';

const TAG = /^(?<tag>UUID|LABEL|PARTUUID|PARTLABEL)=(?<value>.+)$/u;

/** The device behind a path or `UUID=…`, links followed; `null` if there is none now. */
export async function realDevice(device: string, host: HostView): Promise<string | null> {
  if (TAG.test(device)) return taggedDevice(device, host);
  if (!device.startsWith('/')) return device;
  const answer = await host.query(['realpath', '--canonicalize-existing', '--', device]);
  return answer.exitCode === 0 ? answer.stdout.replace(/\n$/u, '') : null;
}

/** Types that stand for no device, as far as the kernel knows them now, and those of programs. */
async function needsDevice(fstype: string, host: HostView): Promise<boolean> {
  const known = Buffer.from((await host.readFile('/proc/filesystems')) ?? []).toString();
  return !fstype.startsWith('fuse') && !known.split('\n').includes(`nodev\t${fstype}`);
}

/** Refuses to mount a device, image or directory that is not there. What is named otherwise only mount itself knows. */
export async function refuseDevice(
  { name, device, fstype, opts }: FileSystem,
  host: HostView,
): Promise<void> {
  const isPath = device.startsWith('/') && !device.startsWith('//');
  if (!isPath && !TAG.test(device)) return;
  const isBind = opts.includes('bind') || opts.includes('rbind');
  if (!isBind && !(await needsDevice(fstype, host))) return;
  if ((await realDevice(device, host)) !== null) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot mount "${name}": there is no ${isBind ? 'directory' : 'device'} "${device}"`,
    { lacks: [isPath ? `path:${device}` : `device:${device}`] },
  );
}

interface FileSystem {
  readonly name: string;
  readonly device: string;
  readonly fstype: string;
  readonly opts: readonly string[];
}

/** Without the cache of blkid, which would be written, also where another than the default one is named. */
async function taggedDevice(device: string, host: HostView): Promise<string | null> {
  const argv = ['blkid', '--cache-file', '/dev/null', '--list-one', '--output', 'device'] as const;
  const env = { BLKID_FILE: '/dev/null' };
  const answer = await host.query([...argv, '--match-token', device], { env });
  const path = answer.stdout.trim();
  return answer.exitCode === 0 && path !== '' ? path : null;
}

/** Whether a mount is of the device that is asked for. */
export async function isOfDevice(
  mount: Mount,
  { device, isBind }: { readonly device: string; readonly isBind: boolean },
  host: HostView,
): Promise<boolean> {
  if (mount.source === device && !isBind) return true;
  const real = await realDevice(device, host);
  if (real === null) return false;
  if (isBind) return isBoundFrom(mount, real, host);
  if (!real.startsWith('/')) return withoutSlash(mount.source) === withoutSlash(real);
  if ((await realDevice(mount.source, host)) === real) return true;
  return (await imageBehind(mount.source, host)) === real;
}

function withoutSlash(text: string): string {
  return text.replace(/(?<=.)\/$/u, '');
}

/** A directory that is mounted elsewhere too is the same directory of the same file system. */
async function isBoundFrom(mount: Mount, directory: string, host: HostView): Promise<boolean> {
  const spot = spotOf(await readMounts(host), directory);
  return spot?.number === mount.number && spot.root === mount.root;
}

/** The file that stands behind a loop device; `null` if it is none. */
async function imageBehind(device: string, host: HostView): Promise<string | null> {
  if (!/^\/dev\/loop\d+$/u.test(device)) return null;
  const answer = await host.query([
    'losetup',
    '--noheadings',
    '--output',
    'BACK-FILE',
    '--',
    device,
  ]);
  const path = answer.stdout.trim();
  return answer.exitCode === 0 && path !== '' ? posix.normalize(path) : null;
}
