import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import {
  closedVolume,
  contentOf,
  formatVolume,
  isBlank,
  makeFileSystem,
  openVolume,
  readHeader,
  refuseKey,
} from './lib/luks.ts';
import { mountAt, readMounts } from '../lib/mount-table.ts';
import { makeMountPoint, refuseMountPoint } from './lib/mount-point.ts';
import { luksSchema } from './luks-schema.ts';
import type { LuksArgs } from './luks-schema.ts';

/** How far an encrypted volume is on its way from a blank device to files that can be read. */
export type Volume = {
  /** Whether the device holds an encrypted volume that some key opens. */
  encrypted: boolean;
  opened: boolean;
  /** What is in the open volume; `null` if that is nothing, or not known before it is open. */
  fstype: string | null;
  /** Where the volume is mounted; `null` if it is not where it was asked for. */
  mount: string | null;
};

async function read({ name, device, mount }: LuksArgs, host: HostView): Promise<Volume> {
  const mapped = `/dev/mapper/${name}`;
  const { hasKeys } = await readHeader(device, host);
  const opened = !(await closedVolume(name, device, host));
  const at = mount === undefined ? null : mountAt(await readMounts(host), mount);
  return {
    encrypted: hasKeys,
    opened,
    fstype: opened ? await contentOf(mapped, host) : null,
    mount: at?.source === mapped && mount !== undefined ? mount : null,
  };
}

/** Refuses, in a dry run too, what would destroy something or cannot be done. */
async function want(args: LuksArgs, host: HostView): Promise<Partial<Volume>> {
  const { device, format, fstype, mount } = args;
  if ((await host.status(device)) === null)
    throw refused(device, 'there is no such device', { lacks: [`path:${device}`] });
  const { hasKeys, hasHeader } = await readHeader(device, host);
  if (!hasKeys && !format)
    throw refused(device, 'it is not encrypted (format: true encrypts a blank one)');
  if (!hasKeys && !hasHeader && !(await isBlank(device, host)))
    throw refused(
      device,
      'it is not encrypted, and it is not blank either: what is on it would be lost',
    );
  return said({ encrypted: true, opened: true, fstype, mount });
}

function refused(device: string, state: string, details = {}): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot open the encrypted volume on "${device}": ${state}`,
    details,
  );
}

async function refuses(change: Change<Volume>, args: LuksArgs, host: HostView): Promise<void> {
  if (change.action !== 'update') return;
  const { encrypted, opened, fstype, mount } = change.to;
  if (mount !== undefined && args.mount !== undefined)
    await refuseMountPoint(args.mount, { mkmnt: true }, host);
  if (encrypted === undefined && opened === true) await refuseKey(args, host);
  // What is in a volume is known once it is open.
  if (opened === undefined && fstype !== undefined) refuseContent(change.from.fstype ?? null, args);
}

function refuseContent(there: string | null, args: LuksArgs): void {
  const { device, fstype, format } = args;
  if (there !== null) throw refused(device, `it holds "${there}" and not "${fstype}"`);
  if (!format) throw refused(device, 'it holds no file system (format: true makes one)');
}

async function apply(change: Change<Volume>, args: LuksArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { encrypted, opened } = change.to;
  if (encrypted === true) await formatVolume(args, host);
  if (opened === true) await openVolume(args, host);
  await needFileSystem(args, host);
  if (change.to.mount !== undefined) await mountVolume(args, host);
}

async function needFileSystem(args: LuksArgs, host: Host): Promise<void> {
  const { name, fstype } = args;
  if (fstype === undefined) return;
  const mapped = `/dev/mapper/${name}`;
  const there = await contentOf(mapped, host);
  if (there === fstype) return;
  refuseContent(there, args);
  await makeFileSystem(mapped, fstype, host);
}

async function mountVolume({ name, mount, fstype, opts }: LuksArgs, host: Host): Promise<void> {
  if (mount === undefined || fstype === undefined) return;
  await makeMountPoint(mount, host);
  const how = ['--types', fstype, '--options', opts.join(',')];
  await host.run(['mount', ...how, '--', `/dev/mapper/${name}`, mount]);
}

export const luksOpened = defineState({
  name: 'luks.opened',
  schema: luksSchema,
  example: `data:
  luks.opened:
    device: /dev/vdb
    key: "{{ pillar.databases.shop.password }}"
    format: true
    fstype: ext4
    mount: /srv/data
`,
  provides: ({ name, mount }: LuksArgs) => [
    `path:/dev/mapper/${name}`,
    ...(mount === undefined ? [] : [`path:${mount}`, `mount:${mount}`]),
  ],
  needs: ({ device, mount }: LuksArgs) => [
    `path:${device}`,
    'package:cryptsetup-bin',
    ...(mount === undefined ? [] : parentsOf(mount)),
  ],
  read,
  want,
  refuses,
  apply,
});
