import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { HostView } from '../../host/host.ts';
import { gidOf } from '../lib/accounts.ts';
import { isDirectory, refuseKind } from '../lib/ownership.ts';
import type { User, UserAbsentArgs, UserArgs } from './user-schema.ts';

/** What the tools for accounts would refuse, told before anything is done. */

export async function refuseUser(
  change: Change<User>,
  args: UserArgs,
  host: HostView,
): Promise<void> {
  if (change.action === 'remove') return;
  const verb = change.action === 'create' ? 'make' : 'change';
  const cannot = `Cannot ${verb} user "${args.name}"`;
  await needGroups(change, args, cannot, host);
  if (change.to.uid !== undefined) await needFreeUid(change.to.uid, args, cannot, host);
  if (change.action === 'update' && (change.to.uid ?? change.to.home) !== undefined)
    await refuseBusy(change.from.uid, cannot, '', host);
  await needRoomForHome(change, args, host);
}

/** The tools would leave what stands there, and the account without a home. */
async function needRoomForHome(
  change: Exclude<Change<User>, { action: 'remove' }>,
  { name }: UserArgs,
  host: HostView,
): Promise<void> {
  if (change.to.createhome !== true) return;
  const old = change.action === 'update' ? change.from.home : `/home/${name}`;
  const home = change.to.home ?? old;
  const status = await host.status(home);
  if (status !== null && !(await isDirectory(home, host)))
    refuseKind(home, status, `the home of user "${name}"`);
}

/** A new user gets a group of its own name where it needs one. */
async function needGroups(
  { action, ...change }: Exclude<Change<User>, { action: 'remove' }>,
  { gid_from_name: fromName }: UserArgs,
  cannot: string,
  host: HostView,
): Promise<void> {
  const { gid, groups = [] } = change.to;
  const isMade = action === 'create' && fromName;
  const primary = gid === undefined || isMade ? [] : [gid];
  for (const group of [...primary, ...groups]) {
    if (await isGroup(group, host)) continue;
    const message = `${cannot}: there is no group "${group}"`;
    throw new ConductorError('STATE_REFUSED', message, { lacks: [`group:${group}`] });
  }
}

/** By name, or by a number that some group has. */
async function isGroup(reference: string, host: HostView): Promise<boolean> {
  const gid = await gidOf(reference, host);
  return gid !== null && [...(await host.groups()).values()].some((group) => group.gid === gid);
}

async function needFreeUid(
  uid: number,
  { name, unique }: UserArgs,
  cannot: string,
  host: HostView,
): Promise<void> {
  if (!unique) return;
  const accounts = [...(await host.accounts()).values()];
  const other = accounts.find((account) => account.uid === uid && account.name !== name);
  if (other === undefined) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `${cannot}: the uid ${uid} is that of "${other.name}" (unique: false shares it)`,
    { lacks: [] },
  );
}

export async function refuseRemoval(
  change: Change<User>,
  { name, force }: UserAbsentArgs,
  host: HostView,
): Promise<void> {
  if (force || change.action !== 'remove') return;
  const hint = ' (force: true removes it all the same)';
  await refuseBusy(change.from.uid, `Cannot remove user "${name}"`, hint, host);
}

/** The tools leave an account alone while a process of it runs. */
async function refuseBusy(
  uid: number,
  cannot: string,
  hint: string,
  host: HostView,
): Promise<void> {
  const of = String(uid);
  const { stdout } = await host.query([
    'ps',
    '--no-headers',
    '-o',
    'pid=,comm=',
    '-U',
    of,
    '-u',
    of,
  ]);
  const [first] = stdout.split('\n').map((line) => line.trim());
  if (first === undefined || first === '') return;
  throw new ConductorError(
    'STATE_REFUSED',
    `${cannot}: processes of it run, such as ${first.replace(/\s+/u, ' ')}${hint}`,
    { lacks: null },
  );
}
