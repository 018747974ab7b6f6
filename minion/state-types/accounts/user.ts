import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Account, Host, HostView } from '../../host/host.ts';
import { accountsChanged, groupNameOf } from '../lib/accounts.ts';
import { isDirectory } from '../lib/ownership.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { gone, there } from '../lib/settled.ts';
import { NO_SHADOW, dateOfDays, readShadow } from './lib/shadow.ts';
import type { ShadowEntry } from './lib/shadow.ts';
import { createUser, removeUser, updateUser } from './user-apply.ts';
import { refuseRemoval, refuseUser } from './user-refuses.ts';
import { userAbsentSchema, userPresentSchema } from './user-schema.ts';
import type { User, UserAbsentArgs, UserArgs } from './user-schema.ts';

/** Homes that say that there is none. */
const NO_HOMES: readonly string[] = ['/nonexistent', '/dev/null', '/'];

async function read({ name }: { name: string }, host: HostView): Promise<User | null> {
  const account = (await host.accounts()).get(name);
  if (account === undefined) return null;
  const shadow = (await readShadow(host)).get(name);
  const gid = await groupNameOf(String(account.gid), host);
  return {
    uid: account.uid,
    gid,
    groups: await groupsOf(name, gid, host),
    home: account.home,
    createhome: await hasHome(account, host),
    shell: account.shell,
    ...commentOf(account),
    ...shadowOf(shadow ?? NO_SHADOW),
  };
}

function commentOf({ gecos }: Account) {
  const [fullname = '', roomnumber = '', workphone = '', homephone = '', ...other] =
    gecos.split(',');
  return { fullname, roomnumber, workphone, homephone, other: other.join(',') };
}

function shadowOf({ password, mindays, maxdays, warndays, inactdays, expires }: ShadowEntry) {
  const days = { mindays, maxdays, warndays, inactdays, expire: dateOfDays(expires) };
  return { password, empty_password: password === '', ...days };
}

async function groupsOf(name: string, primary: string, host: HostView): Promise<string[]> {
  const groups = [...(await host.groups()).values()];
  return groups
    .filter((group) => group.members.includes(name) && group.name !== primary)
    .map((group) => group.name)
    .toSorted();
}

async function hasHome({ home }: Account, host: HostView): Promise<boolean> {
  if (NO_HOMES.includes(home)) return true;
  return isDirectory(home, host);
}

async function want(args: UserArgs, host: HostView): Promise<Partial<User>> {
  const have = await read(args, host);
  const { name: _name, unique: _unique, usergroup: _usergroup, system: _system, ...other } = args;
  const { nologinit: _nologinit, ...rest } = other;
  const { allow_uid_change: _uid, allow_gid_change: _gid, hash_password: _hash, ...asked } = rest;
  const { optional_groups: _optional, remove_groups: _remove, enforce_password, ...given } = asked;
  const { groups: _groups, gid_from_name: fromName, password, createhome, ...shown } = given;
  const { gid = fromName ? args.name : undefined, empty_password: empty, ...plain } = shown;
  // `!` alone is what useradd leaves: nobody has given that user a password yet.
  const isPasswordLeft = have !== null && have.password !== '!' && !enforce_password;
  const wanted: Partial<User> = said({
    ...plain,
    gid: gid === undefined ? undefined : await groupNameOf(gid, host),
    groups: await wantedGroups(args, have, host),
    password: isPasswordLeft ? undefined : password,
    empty_password: empty ? true : undefined,
    createhome: createhome ? true : undefined,
  });
  if (have !== null) refuseNewNumbers(args, have, wanted);
  return wanted;
}

/** The supplementary groups to be in; `undefined` if nothing is said of them. */
async function wantedGroups(
  args: UserArgs,
  have: User | null,
  host: HostView,
): Promise<string[] | undefined> {
  const { name, groups = [], optional_groups: optional = [] } = args;
  if ((args.groups ?? args.optional_groups) === undefined) return undefined;
  const existing = await host.groups();
  const present = optional.filter((group) => existing.has(group));
  const kept = args.remove_groups || have === null ? [] : have.groups;
  const all = new Set([...groups, ...present, ...kept]);
  all.delete(await groupNameOf(args.gid ?? have?.gid ?? name, host));
  return [...all].toSorted();
}

function refuseNewNumbers(args: UserArgs, have: User, wanted: Partial<User>): void {
  if (wanted.uid !== undefined && wanted.uid !== have.uid && !args.allow_uid_change) {
    refuse({ name: args.name, lacks: [] }, 'uid', `it is ${have.uid} and not ${wanted.uid}`);
  }
  if (wanted.gid !== undefined && wanted.gid !== have.gid && !args.allow_gid_change) {
    // Whichever of the two groups gets another number, it may be the same afterwards.
    const lacks = [`group:${have.gid}`, `group:${wanted.gid}`];
    refuse({ name: args.name, lacks }, 'gid', `it is "${have.gid}" and not "${wanted.gid}"`);
  }
}

function refuse(
  { name, lacks }: { readonly name: string; readonly lacks: readonly string[] },
  what: 'uid' | 'gid',
  state: string,
): never {
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot change the ${what} of user "${name}": ${state}, and its files would keep the old one ` +
      `(allow_${what}_change: true changes it all the same)`,
    { lacks },
  );
}

async function apply(change: Change<User>, args: UserArgs, host: Host): Promise<void> {
  if (change.action === 'create') await createUser(change.to, args, host);
  if (change.action === 'update') await updateUser(change.from, change.to, args, host);
  accountsChanged(host);
}

export const userPresent = defineState({
  name: 'user.present',
  isRelative: true,
  schema: userPresentSchema,
  example: `robot:
  user.present:
    fullname: Deployment robot
    home: /srv/robot
    shell: /bin/bash
    groups: [adm]
    optional_groups: [docker]
`,
  provides: ({ name, gid, createhome, home = `/home/${name}` }: UserArgs) => [
    `user:${name}`,
    ...(gid === undefined ? [`group:${name}`] : []),
    ...(createhome ? [`path:${home}`] : []),
  ],
  settles: ({ name, uid, home, shell, fullname }: UserArgs) =>
    there(`user:${name}`, { uid, home, shell, 'full name': fullname }),
  needs: ({ name, gid = name, groups = [], optional_groups: optional = [], home }: UserArgs) => [
    ...[gid, ...groups, ...optional].map((group) => `group:${group}`),
    ...(home === undefined ? [] : parentsOf(home)),
  ],
  read,
  want,
  refuses: refuseUser,
  apply,
});

export const userAbsent = defineState({
  name: 'user.absent',
  schema: userAbsentSchema,
  example: `intern:
  user.absent:
    purge: true
`,
  takes: ({ name }: UserAbsentArgs) => [`user:${name}`],
  settles: ({ name }: UserAbsentArgs) => gone([`user:${name}`]),
  read,
  want: () => null,
  refuses: refuseRemoval,
  apply: async (_change: Change<User>, args: UserAbsentArgs, host: Host) => {
    await removeUser(args, host);
    accountsChanged(host);
  },
});
