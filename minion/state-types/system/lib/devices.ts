import { posix } from 'node:path';
import type { HostView } from '../../../host/host.ts';
import { readMounts, spotOf } from './mount-table.ts';
import type { Mount } from './mount-table.ts';

const TAG = /^(?<tag>UUID|LABEL|PARTUUID|PARTLABEL)=(?<value>.+)$/u;

/** The device behind a path or `UUID=…`, links followed; `null` if there is none now. */
export async function realDevice(device: string, host: HostView): Promise<string | null> {
  if (TAG.test(device)) return taggedDevice(device, host);
  if (!device.startsWith('/')) return device;
  const answer = await host.query(['realpath', '--canonicalize-existing', '--', device]);
  return answer.exitCode === 0 ? answer.stdout.replace(/\n$/u, '') : null;
}

/** Without the cache of blkid, which would be written. */
async function taggedDevice(device: string, host: HostView): Promise<string | null> {
  const argv = ['blkid', '--cache-file', '/dev/null', '--list-one', '--output', 'device'] as const;
  const answer = await host.query([...argv, '--match-token', device]);
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
