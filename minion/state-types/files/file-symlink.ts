import { posix } from 'node:path';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import {
  absolutePath,
  accountReference,
  fileMode,
  idleArgument,
  refusedArgument,
} from '../lib/fields.ts';
import { makeParents, ownershipOf, refuseKind, wantedOwnership } from '../lib/ownership.ts';
import { refusePlace, refuseRoom } from '../lib/places.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { ofItsOwn, there } from '../lib/settled.ts';

/** How one symbolic link is; `target` is `null` if something else stands there. */
export type Symlink = { target: string | null; user: string; group: string };

const schema = z
  .strictObject({
    name: absolutePath.describe('Where the link is'),
    target: z
      .string()
      .regex(/^[^\0\n]+$/u)
      .describe('What it points to; kept as it is written, and need not exist'),
    user: accountReference.exactOptional().describe('Owner of the link itself'),
    group: accountReference.exactOptional().describe('Group of the link itself'),
    makedirs: z
      .boolean()
      .default(false)
      .describe('Whether missing directories above it are made, with the same owners'),
    dir_mode: fileMode.exactOptional().describe('Permissions of those directories; 0755 if absent'),
    mode: fileMode
      .exactOptional()
      .describe("Salt's word for dir_mode; a link has no permissions of its own"),
    force: z
      .boolean()
      .default(false)
      .describe('Whether a file or directory that stands at this path is removed to make room'),
    backupname: absolutePath
      .exactOptional()
      .describe('Where a file or directory that stands at this path is moved to make room'),
    atomic: idleArgument('a link is always replaced in one step'),
    disallow_copy_and_unlink: idleArgument('a link is always replaced in one step'),
    inherit_user_and_group: refusedArgument('say `user` and `group`; both are root if absent'),
    follow_symlinks: refusedArgument('the link itself is what is managed'),
  })
  .describe(
    'A symbolic link that points to this target. A link to something else is replaced in one step.',
  );

type Args = z.infer<typeof schema>;

async function read(args: Args, host: HostView): Promise<Symlink | null> {
  const { name, force, backupname } = args;
  const status = await host.status(name);
  if (status === null) return null;
  const isInTheWay = status.kind !== 'symlink';
  if (isInTheWay && !force && backupname === undefined) refuseKind(name, status, 'a symbolic link');
  const target = isInTheWay ? null : await host.readLink(name);
  return { target, user: status.user, group: status.group };
}

async function want(args: Args, host: HostView): Promise<Partial<Symlink>> {
  return { target: args.target, ...(await wantedOwnership(ownersArgs(args), host)) };
}

function ownersArgs({ user, group }: Args) {
  return said({ user, group });
}

async function refuses(change: Change<Symlink>, args: Args, host: HostView): Promise<void> {
  const { name: path, makedirs, backupname } = args;
  await refusePlace({ name: path, makedirs }, host);
  const isInTheWay = change.action === 'update' && change.from.target === null;
  if (isInTheWay) await refuseRoom({ path, backupname }, host);
}

async function apply(change: Change<Symlink>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { name, target, backupname } = args;
  const ownership = ownershipOf(ownersArgs(args));
  if (change.to.target === undefined) return host.own(name, ownership);
  if (change.action === 'create') {
    const { makedirs, mode = '0755', dir_mode = mode } = args;
    await makeParents({ ...ownership, name, makedirs, dir_mode }, host);
  } else if (change.from.target === null) {
    await (backupname === undefined ? host.remove(name) : host.rename(name, backupname));
  }
  return host.link(name, target, ownership);
}

export const fileSymlink = defineState({
  name: 'file.symlink',
  schema,
  example: `/etc/localtime:
  file.symlink:
    target: /usr/share/zoneinfo/Asia/Jerusalem
`,
  publishes: 'everybody can read where a link leads',
  provides: ({ name }: Args) => [`path:${name}`],
  settles: ({ name, target, user, group }: Args) =>
    there(`path:${name}`, {
      target,
      [ofItsOwn('owner')]: user === undefined ? undefined : 'yes',
      [ofItsOwn('group')]: group === undefined ? undefined : 'yes',
    }),
  needs: ({ name, target, ...args }: Args) => [
    ...parentsOf(name),
    `path:${posix.resolve(posix.dirname(name), target)}`,
    ...ownersOf(ownersArgs({ name, target, ...args })),
  ],
  read,
  want,
  refuses,
  apply,
});
