import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { accountsChanged } from '../lib/accounts.ts';
import { accountName, accountNames } from '../lib/fields.ts';
import { gone, there } from '../lib/settled.ts';

/** How one group is. */
export type Group = { gid: number; members: readonly string[] };

const presentSchema = z
  .strictObject({
    name: accountName.describe('Name of the group'),
    gid: z.int().nonnegative().exactOptional().describe('Numeric id; the next free one if absent'),
    system: z
      .boolean()
      .default(false)
      .describe('Whether a new group gets an id of the system range'),
    members: accountNames.exactOptional().describe('Members: exactly these users'),
    addusers: accountNames.exactOptional().describe('Users who are to be members among others'),
    delusers: accountNames.exactOptional().describe('Users who are not to be members'),
    non_unique: z.boolean().default(false).describe('Whether the gid may be shared with others'),
  })
  .refine((args) => args.members === undefined || !(args.addusers ?? args.delusers), {
    error: 'a group has either `members` or `addusers` and `delusers`',
    path: ['members'],
  })
  .describe('A group with the members that are given; if none are given they stay as they are.');

const absentSchema = z
  .strictObject({ name: accountName.describe('Name of the group') })
  .describe('No group of this name. The primary group of a user cannot be removed.');

type GroupArgs = z.infer<typeof presentSchema>;
type Named = { name: string };

async function read({ name }: Named, host: HostView): Promise<Group | null> {
  const group = (await host.groups()).get(name);
  return group === undefined ? null : { gid: group.gid, members: group.members.toSorted() };
}

async function want(args: GroupArgs, host: HostView): Promise<Partial<Group>> {
  const members = await wantedMembers(args, host);
  return {
    ...(args.gid === undefined ? {} : { gid: args.gid }),
    ...(members === null ? {} : { members }),
  };
}

/** Who is to be in the group; `null` if nothing is said of that. */
async function wantedMembers(args: GroupArgs, host: HostView): Promise<readonly string[] | null> {
  const { members, addusers = [], delusers = [] } = args;
  if (members !== undefined) return members;
  if (args.addusers === undefined && args.delusers === undefined) return null;
  const have = await read(args, host);
  const all = new Set([...(have?.members ?? []), ...addusers]);
  for (const user of delusers) all.delete(user);
  return [...all].toSorted();
}

async function refuses(
  change: Change<Group>,
  { name, non_unique: isShared }: GroupArgs,
  host: HostView,
): Promise<void> {
  if (change.action === 'remove') return;
  const { gid, members = [] } = change.to;
  const groups = [...(await host.groups()).values()];
  const other = groups.find((group) => group.gid === gid && group.name !== name);
  if (other !== undefined && !isShared) {
    const state = `the gid ${gid} is that of "${other.name}" (non_unique: true shares it)`;
    throw new ConductorError('STATE_REFUSED', `Cannot give group "${name}" its gid: ${state}`, {
      lacks: [],
    });
  }
  const accounts = await host.accounts();
  const missing = members.find((user) => !accounts.has(user));
  if (missing === undefined) return;
  const message = `Cannot make "${missing}" a member of group "${name}": there is no such user`;
  throw new ConductorError('STATE_REFUSED', message, { lacks: [`user:${missing}`] });
}

async function refuseRemoval(
  change: Change<Group>,
  { name }: Named,
  host: HostView,
): Promise<void> {
  if (change.action !== 'remove') return;
  const { gid } = change.from;
  const user = [...(await host.accounts()).values()].find((account) => account.gid === gid);
  if (user === undefined) return;
  const state = `it is the primary group of user "${user.name}"`;
  throw new ConductorError('STATE_REFUSED', `Cannot remove group "${name}": ${state}`, {
    inTheWay: [`user:${user.name}`],
  });
}

async function apply(change: Change<Group>, args: GroupArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { gid, members } = change.to;
  const flags = [
    ...(gid === undefined ? [] : ['--gid', String(gid)]),
    ...(gid !== undefined && args.non_unique ? ['--non-unique'] : []),
  ];
  if (change.action === 'create') {
    await host.run(['groupadd', ...flags, ...(args.system ? ['--system'] : []), args.name]);
  } else if (flags.length > 0) {
    await host.run(['groupmod', ...flags, args.name]);
  }
  if (members !== undefined) await host.run(['gpasswd', '--members', members.join(','), args.name]);
  accountsChanged(host);
}

export const groupPresent = defineState({
  name: 'group.present',
  isRelative: true,
  schema: presentSchema,
  example: `developers:
  group.present:
    addusers: [robot]
`,
  provides: ({ name }: GroupArgs) => [`group:${name}`],
  settles: ({ name, gid, members }: GroupArgs) =>
    there(`group:${name}`, { gid, members: members?.toSorted().join(' ') }),
  needs: ({ members = [], addusers = [] }: GroupArgs) =>
    [...members, ...addusers].map((user) => `user:${user}`),
  read,
  want,
  refuses,
  apply,
});

export const groupAbsent = defineState({
  name: 'group.absent',
  schema: absentSchema,
  example: `interns:
  group.absent: {}
`,
  takes: ({ name }: { name: string }) => [`group:${name}`],
  settles: ({ name }: Named) => gone([`group:${name}`]),
  read,
  want: () => null,
  refuses: refuseRemoval,
  apply: async (_change: Change<Group>, { name }: Named, host: Host) => {
    await host.run(['groupdel', name]);
    accountsChanged(host);
  },
});
