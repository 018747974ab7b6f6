import { posix } from 'node:path';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { parentsOf } from '../lib/resources.ts';
import { hasTaken, refuseConfiguration, replaceConfiguration } from '../lib/staged.ts';
import type { Replacement } from '../lib/staged.ts';
import { textFrom } from '../lib/text-source.ts';
import { fileSettled, gone } from '../lib/settled.ts';
import { isStale, instancesOf } from './lib/units.ts';
import { unitAbsentSchema, unitSchema } from './systemd-schema.ts';
import type { UnitAbsentArgs, UnitArgs } from './systemd-schema.ts';

type UnitFile = {
  /** `null` if something stands there that is no file, such as an alias of another unit. */
  content: string | null;
  /** Systemd has read what stands there now. */
  loaded: boolean;
};

const DIRECTORY = '/etc/systemd/system';
/** What the registry says from the moment that a file changes until systemd has read it. */
const BEGUN = 'begun';
const ELSEWHERE = ['/run/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

type Named = UnitAbsentArgs;

function fileOf({ name, dropin }: Named): string {
  return dropin === undefined ? `${DIRECTORY}/${name}` : `${DIRECTORY}/${name}.d/${dropin}.conf`;
}

async function read(args: Named, host: HostView): Promise<UnitFile | null> {
  const path = fileOf(args);
  const status = await host.status(path);
  if (status === null) return null;
  const bytes = status.kind === 'file' ? await host.readFile(path) : null;
  const content = bytes === null ? null : Buffer.from(bytes).toString();
  // Systemd itself does not notice a directory of drop-ins that is new.
  return { content, loaded: await isLoaded(args, host) };
}

async function isLoaded(args: Named, host: HostView): Promise<boolean> {
  if (await hasTaken(host, markOf(args), BEGUN)) return false;
  return !(await isStale(args.name, host));
}

/** One that is gone is still there for systemd until that has noticed. */
async function readLeft(args: Named, host: HostView): Promise<UnitFile | null> {
  const left = await read(args, host);
  if (left !== null) return left;
  return (await hasTaken(host, markOf(args), BEGUN)) ? { content: null, loaded: false } : null;
}

function markOf(args: Named): string {
  return `systemd.unit:${fileOf(args)}`;
}

function isUnread(change: Change<UnitFile>): boolean {
  return change.action === 'update' && change.to.content === undefined;
}

async function refuses(change: Change<UnitFile>, args: UnitArgs, host: HostView): Promise<void> {
  if (args.dropin === undefined) await refuseMasked(args, host);
  if (!args.verify || isUnread(change)) return;
  const judged = args.dropin === undefined ? fileOf(args) : args.name;
  await refuseConfiguration(
    {
      ...changeOf(args),
      check: ['systemd-analyze', 'verify', '--man=no', '--recursive-errors=no', judged],
      hasOwnTmp: true,
    },
    host,
  );
}

/** Somebody has masked it so that it does not run: a file in place of that link would lift it. */
async function refuseMasked({ name }: Named, host: HostView): Promise<void> {
  const path = `${DIRECTORY}/${name}`;
  const isLink = (await host.status(path))?.kind === 'symlink';
  if (!isLink || (await host.readLink(path)) !== '/dev/null') return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot write the unit "${name}": it is masked (a service.unmasked of it lifts that first)`,
    { lacks: [`unmasked:${name}`] },
  );
}

async function apply(change: Change<UnitFile>, args: UnitArgs, host: Host): Promise<void> {
  if (isUnread(change)) return take(args, host);
  const directory = posix.dirname(fileOf(args));
  const isNew = (await host.status(directory)) === null;
  if (isNew) await host.makeDirectory(directory, { user: 'root', group: 'root', mode: '0755' });
  try {
    await replaceConfiguration(host, replacement(args, host));
  } catch (error) {
    if (isNew) await host.remove(directory);
    throw error;
  }
}

function changeOf(args: UnitArgs): Pick<Replacement, 'what' | 'directory' | 'pieces'> {
  const path = fileOf(args);
  return {
    what: `the unit "${posix.basename(path)}"`,
    directory: DIRECTORY,
    pieces: new Map([[path, { kind: 'file', content: textFrom(args), mode: '0644' }]]),
  };
}

function replacement(args: UnitArgs, host: Host): Replacement {
  return {
    ...changeOf(args),
    check: null,
    mark: markOf(args),
    pending: BEGUN,
    taken: null,
    take: () => reload(host),
    takeBack: () => reload(host),
  };
}

async function reload(host: Host): Promise<void> {
  await host.run(['systemctl', 'daemon-reload']);
  host.changed('services');
}

async function take(args: Named, host: Host): Promise<void> {
  await reload(host);
  await host.remember(markOf(args), null);
}

async function remove(args: Named, host: Host): Promise<void> {
  const path = fileOf(args);
  if (args.dropin === undefined && !(await isElsewhere(args.name, host))) await end(args, host);
  await host.remember(markOf(args), BEGUN);
  await host.remove(path);
  const directory = posix.dirname(path);
  const isEmpty = directory !== DIRECTORY && (await host.list(directory))?.length === 0;
  if (isEmpty) await host.remove(directory);
  await take(args, host);
}

/** Whether a unit is still there when its file in /etc is not: one of a package, or of this boot. */
async function isElsewhere(name: string, host: HostView): Promise<boolean> {
  const statuses = await Promise.all(ELSEWHERE.map((path) => host.status(`${path}/${name}`)));
  return statuses.some((status) => status !== null);
}

/** Stops a unit, of a template all that was made from it, and takes it out of the boot. */
async function end({ name }: Named, host: Host): Promise<void> {
  if ((await host.status(`${DIRECTORY}/${name}`))?.kind !== 'file') return;
  const units = name.includes('@.') ? await instancesOf(name, host) : [name];
  if (units.length > 0) await host.run(['systemctl', 'stop', '--', ...units]);
  await host.run(['systemctl', 'disable', '--', name]);
}

export const systemdUnit = defineState<UnitArgs, UnitFile>({
  name: 'systemd.unit',
  schema: unitSchema,
  example: `shop.service:
  systemd.unit:
    contents: |
      [Unit]
      Description=The shop
      [Service]
      ExecStart=/usr/bin/python3 -m http.server 8000
      [Install]
      WantedBy=multi-user.target

shop:
  service.running:
    enable: true
    watch: [{systemd: shop.service}]
`,
  treeFiles: ['source'],
  publishes:
    'systemd shows units to everybody: put the secret into a file of file.managed, and name that with EnvironmentFile= or LoadCredential=',
  textAttribute: 'content',
  // A service needs the drop-ins of its unit, too.
  provides: (args) => [`path:${fileOf(args)}`, `unit:${args.name}`],
  settles: (args) => fileSettled(fileOf(args), textFrom(args)),
  needs: (args) => [
    ...parentsOf(fileOf(args)),
    `unmasked:${args.name}`,
    // A drop-in is judged together with its unit.
    ...(args.dropin === undefined
      ? []
      : [`path:${DIRECTORY}/${args.name}`, `package:${args.name.replace(/\.service$/u, '')}`]),
  ],
  read,
  want: (args) => ({ content: textFrom(args), loaded: true }),
  refuses,
  apply,
});

export const systemdUnitAbsent = defineState<UnitAbsentArgs, UnitFile>({
  name: 'systemd.unit_absent',
  schema: unitAbsentSchema,
  example: `legacy.service:
  systemd.unit_absent: []
`,
  textAttribute: 'content',
  takes: (args) => [`path:${fileOf(args)}`, `unit:${args.name}`],
  settles: (args) => gone([`path:${fileOf(args)}`]),
  read: readLeft,
  want: () => null,
  apply: (_change, args, host) => remove(args, host),
});
