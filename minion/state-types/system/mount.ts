import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { parentsOf } from '../lib/resources.ts';
import { refusePlace } from '../lib/places.ts';
import { needFileSystem } from './lib/file-systems.ts';
import { isOfDevice, refuseDevice } from './lib/devices.ts';
import { linesOf, showEntry, withEntry } from './lib/fstab.ts';
import type { FstabEntry } from './lib/fstab.ts';
import { hasOptions, mountAt, readMounts } from '../lib/mount-table.ts';
import { makeMountPoint, refuseMountPoint } from './lib/mount-point.ts';
import { mountedSchema, unmountedSchema } from './mount-schema.ts';
import type { MountedArgs, UnmountedArgs } from './mount-schema.ts';

/** What is mounted at a path, and what fstab says of it. */
export type Mounted = {
  mount: boolean;
  /** As it was asked for, if it is that. */
  device: string | null;
  fstype: string | null;
  opts: readonly string[];
  /** The line of fstab, without its spacing; `null` if there is none. */
  fstab: string | null;
};

/** Words in place of a type that say nothing of what the kernel will show. */
const ANY_TYPE: readonly string[] = ['auto', 'none', 'bind', 'rbind'];

function isBind({ opts }: { opts: readonly string[] }): boolean {
  return opts.includes('bind') || opts.includes('rbind');
}

function entryOf({ device, name, fstype, opts, dump, pass_num: pass }: MountedArgs): FstabEntry {
  return { device, path: name, fstype, opts: opts.join(','), dump, pass };
}

async function fstabText(config: string, host: HostView): Promise<string> {
  return Buffer.from((await host.readFile(config)) ?? []).toString('latin1');
}

async function read(args: MountedArgs, host: HostView): Promise<Mounted | null> {
  const { name, device, fstype, opts, config } = args;
  const fstab = linesOf(await fstabText(config, host), linesFor(name));
  const mount = mountAt(await readMounts(host), name);
  if (mount === null && fstab === null) return null;
  if (mount === null) return { mount: false, device: null, fstype: null, opts: [], fstab };
  const isIt = await isOfDevice(mount, { device, isBind: isBind(args) }, host);
  const isType = ANY_TYPE.includes(fstype) || mount.fstype.replace(/^nfs4$/u, 'nfs') === fstype;
  return {
    mount: true,
    device: isIt ? device : mount.source,
    fstype: isType ? fstype : mount.fstype,
    opts: hasOptions(mount, opts) ? opts : mount.options,
    fstab,
  };
}

function want(args: MountedArgs): Partial<Mounted> {
  const { device, fstype, opts, mount, persist } = args;
  return {
    ...(mount ? { mount, device, fstype, opts } : {}),
    ...(persist ? { fstab: showEntry(entryOf(args)) } : {}),
  };
}

async function refuses(change: Change<Mounted>, args: MountedArgs, host: HostView): Promise<void> {
  if (change.action === 'remove') return;
  if (args.mount && isAnother(change.to)) {
    await refuseMountPoint(args.name, args, host);
    await refuseDevice(args, host);
    if (!ANY_TYPE.includes(args.fstype) && !isBind(args)) await needFileSystem(args.fstype, host);
  }
  if (change.to.fstab !== undefined)
    await refusePlace({ name: args.config, makedirs: false }, host);
}

function isAnother({ device, fstype, mount }: Partial<Mounted>): boolean {
  return (device ?? fstype ?? mount) !== undefined;
}

async function apply(change: Change<Mounted>, args: MountedArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { opts, fstab } = change.to;
  if (args.mount && isAnother(change.to)) await mountAnew(args, host);
  else if (args.mount && opts !== undefined) await mountWith(args, ['remount', ...opts], host);
  if (fstab !== undefined) await writeFstab(args, entryOf(args), host);
}

async function mountAnew(args: MountedArgs, host: Host): Promise<void> {
  const { name, opts } = args;
  if (mountAt(await readMounts(host), name) !== null) await host.run(['umount', '--', name]);
  await makeMountPoint(name, host);
  await mountWith(args, opts, host);
}

async function mountWith(args: MountedArgs, opts: readonly string[], host: Host): Promise<void> {
  const { device, name, fstype } = args;
  const isAny = ANY_TYPE.includes(fstype);
  const type = isAny ? [] : ['--types', fstype];
  await host.run(['mount', ...type, '--options', opts.join(','), '--', device, name]);
}

async function writeFstab(
  { name, config, device }: { name: string; config: string; device?: string },
  entry: FstabEntry | null,
  host: Host,
): Promise<void> {
  const choice = linesFor(name, entry === null ? device : undefined);
  const text = withEntry(await fstabText(config, host), choice, entry);
  await host.writeFile(config, Buffer.from(text, 'latin1'));
  if (config === '/etc/fstab') await host.run(['systemctl', 'daemon-reload']);
}

type Left = { mount: boolean; fstab: string | null };

async function readLeft(args: UnmountedArgs, host: HostView): Promise<Left | null> {
  const { name, device, config, persist } = args;
  const mount = await isMounted(args, host);
  const text = persist ? await fstabText(config, host) : '';
  const fstab = linesOf(text, linesFor(name, device));
  return mount || fstab !== null ? { mount, fstab } : null;
}

async function isMounted({ name, device }: UnmountedArgs, host: HostView): Promise<boolean> {
  const mount = mountAt(await readMounts(host), name);
  if (mount === null || device === undefined) return mount !== null;
  const asBound =
    device.startsWith('/') && (await isOfDevice(mount, { device, isBind: true }, host));
  return asBound || isOfDevice(mount, { device, isBind: false }, host);
}

/** The lines of fstab for a path, and for a device if one is named. */
function linesFor(name: string, device?: string) {
  return (entry: FstabEntry): boolean =>
    entry.path === name && (device === undefined || entry.device === device);
}

async function applyUnmounted(
  change: Change<Left>,
  args: UnmountedArgs,
  host: Host,
): Promise<void> {
  if (change.action !== 'remove') return;
  if (change.from.mount) await host.run(['umount', '--', args.name]);
  if (change.from.fstab !== null) await writeFstab(args, null, host);
}

export const mountMounted = defineState({
  name: 'mount.mounted',
  schema: mountedSchema,
  example: `/srv/data:
  mount.mounted:
    device: LABEL=data
    fstype: ext4
    opts: [noatime, nofail]
    mkmnt: true
`,
  publishes:
    'everybody reads fstab and the list of mounts: `credentials=/a/file` among the options names a file with it',
  provides: ({ name }: MountedArgs) => [`path:${name}`, `mount:${name}`],
  needs: (args: MountedArgs) => [
    ...parentsOf(args.name),
    ...(args.device.startsWith('/') ? [`path:${args.device}`] : []),
  ],
  read,
  want,
  refuses,
  apply,
});

export const mountUnmounted = defineState({
  name: 'mount.unmounted',
  schema: unmountedSchema,
  example: `/mnt/old:
  mount.unmounted:
    persist: true
`,
  read: readLeft,
  want: () => null,
  apply: applyUnmounted,
});
