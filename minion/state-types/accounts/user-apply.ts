import type { Host } from '../../host/host.ts';
import { accountsChanged } from '../lib/accounts.ts';
import type { User, UserAbsentArgs, UserArgs } from './user-schema.ts';

/** Carries out changes of accounts with Debian's own tools. */

const FLAGS = [
  ['uid', '--uid'],
  ['gid', '--gid'],
  // The one name that useradd and usermod both have for it.
  ['home', '-d'],
  ['shell', '--shell'],
] as const satisfies readonly (readonly [keyof User, string])[];

const AGES = [
  ['mindays', '--mindays'],
  ['maxdays', '--maxdays'],
  ['warndays', '--warndays'],
  ['inactdays', '--inactive'],
] as const satisfies readonly (readonly [keyof User, string])[];

const GECOS = ['fullname', 'roomnumber', 'workphone', 'homephone', 'other'] as const;

export async function createUser(to: Partial<User>, args: UserArgs, host: Host): Promise<void> {
  const { gid_from_name: fromName } = args;
  const { gid: _gid, ...others } = to;
  const flags = [
    ...(await groupFlags(fromName ? { ...args, usergroup: true } : args, host)),
    ...sharedFlags(fromName ? others : to, args),
  ];
  if (args.system) flags.push('--system');
  if (args.nologinit) flags.push('--no-log-init');
  flags.push(args.createhome ? '--create-home' : '--no-create-home');
  await host.run(['useradd', ...flags, args.name]);
  await setPassword(to, args, host);
  await setAges(to, args, host);
}

/** useradd refuses to make a group that is there, so a group of the user's name is taken then. */
async function groupFlags({ name, gid, usergroup }: UserArgs, host: Host): Promise<string[]> {
  if (gid !== undefined) return [];
  if (usergroup === false) return ['--no-user-group'];
  if ((await host.groups()).has(name)) return ['--gid', name];
  return usergroup === true ? ['--user-group'] : [];
}

export async function updateUser(
  from: User,
  to: Partial<User>,
  args: UserArgs,
  host: Host,
): Promise<void> {
  const flags = sharedFlags({ ...to, ...mergedGecos(from, to) }, args);
  if (await canMoveHome(from, to, args, host)) flags.push('--move-home');
  if (flags.length > 0) await host.run(['usermod', ...flags, args.name]);
  accountsChanged(host);
  await setPassword(to, args, host);
  await setAges(to, args, host);
  if (args.createhome) await makeHome(args.name, host);
}

function sharedFlags(to: Partial<User>, { unique }: UserArgs): string[] {
  const flags = FLAGS.flatMap(([key, flag]) =>
    to[key] === undefined ? [] : [flag, String(to[key])],
  );
  if (to.groups !== undefined) flags.push('--groups', to.groups.join(','));
  if (to.expire !== undefined) flags.push('--expiredate', to.expire === 'never' ? '' : to.expire);
  if (to.uid !== undefined && !unique) flags.push('--non-unique');
  if (GECOS.some((field) => to[field] !== undefined)) flags.push('--comment', gecosOf(to));
  return flags;
}

/** All of the comment field if a part of it is to change, for it is written as a whole. */
function mergedGecos(from: User, to: Partial<User>): Partial<User> {
  if (GECOS.every((field) => to[field] === undefined)) return {};
  return Object.fromEntries(GECOS.map((field) => [field, to[field] ?? from[field]]));
}

function gecosOf(to: Partial<User>): string {
  return GECOS.map((field) => to[field] ?? '')
    .join(',')
    .replace(/,+$/u, '');
}

/** An old home goes along to a new place if that is free and the old one is the user's own. */
async function canMoveHome(
  from: User,
  to: Partial<User>,
  { createhome }: UserArgs,
  host: Host,
): Promise<boolean> {
  if (to.home === undefined || !createhome) return false;
  const old = await host.status(from.home);
  const isOwn = old?.kind === 'directory' && old.uid === from.uid;
  return isOwn && (await host.status(to.home)) === null;
}

async function makeHome(name: string, host: Host): Promise<void> {
  const home = (await host.accounts()).get(name)?.home;
  if (home === undefined || (await host.status(home)) !== null) return;
  await host.run(['mkhomedir_helper', name]);
}

async function setPassword(to: Partial<User>, { name }: UserArgs, host: Host): Promise<void> {
  if (to.empty_password === true) await host.run(['passwd', '--delete', name]);
  if (to.password === undefined) return;
  await host.run(['chpasswd', '--encrypted'], { input: `${name}:${to.password}\n` });
}

async function setAges(to: Partial<User>, { name }: UserArgs, host: Host): Promise<void> {
  const flags = AGES.flatMap(([key, flag]) =>
    to[key] === undefined ? [] : [flag, String(to[key] ?? -1)],
  );
  if (flags.length > 0) await host.run(['chage', ...flags, name]);
}

export async function removeUser(
  { name, purge, force }: UserAbsentArgs,
  host: Host,
): Promise<void> {
  const flags = [...(purge ? ['--remove'] : []), ...(force ? ['--force'] : [])];
  await host.run(['userdel', ...flags, name]);
}
