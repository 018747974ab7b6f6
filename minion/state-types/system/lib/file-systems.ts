import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { KERNEL } from '../../lib/resources.ts';

/** Refuses a type of file system that neither the kernel nor a helper of mount knows. */
export async function needFileSystem(fstype: string, host: HostView): Promise<void> {
  const types = fstype.split(',').filter((one) => !one.startsWith('no'));
  for (const one of types) {
    if (await isKnown(one, host)) return;
  }
  const [first] = types;
  if (first === undefined) return;
  const helper = helperOf(first);
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot mount a file system of the type "${fstype}": this kernel has none, and there is no "${helper}"`,
    { lacks: [KERNEL, `path:${helper}`] },
  );
}

async function isKnown(type: string, host: HostView): Promise<boolean> {
  const listed = Buffer.from((await host.readFile('/proc/filesystems')) ?? []).toString();
  if (listed.split('\n').some((line) => line.split('\t')[1] === type)) return true;
  if ((await host.status(helperOf(type))) !== null) return true;
  const { stdout } = await host.query(['modprobe', '--resolve-alias', `fs-${type}`]);
  return stdout.trim() !== '';
}

/** What is behind a point is for the helper to know: `fuse.sshfs`. */
function helperOf(type: string): string {
  return `/usr/sbin/mount.${type.replace(/\..*$/u, '')}`;
}
