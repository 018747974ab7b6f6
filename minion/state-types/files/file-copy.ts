import { posix } from 'node:path';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Settled } from '../../../shared/surroundings.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { FileStatus, Host, HostView } from '../../host/host.ts';
import { absolutePath, fileMode } from '../lib/fields.ts';
import {
  followLinks,
  makeParents,
  ownershipOf,
  refuseKind,
  wantedOwnership,
} from '../lib/ownership.ts';
import type { OwnerArgs } from '../lib/ownership.ts';
import { refusePlace } from '../lib/places.ts';
import { ownersOf, parentsOf, pathAndParents } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { ofItsOwn, ownersSettled, there } from '../lib/settled.ts';
import { dirMode, makedirs, ownerFields } from './lib/edit-fields.ts';
import { sha256Of } from './lib/hashes.ts';

/** How a copy is. */
export type Copy = { digest: string; user: string; group: string; mode: string };

const schema = z
  .strictObject({
    name: absolutePath.describe('Where the copy is'),
    source: absolutePath.describe('The file on the host that is copied'),
    force: z
      .boolean()
      .default(false)
      .describe(
        'Whether a file that is there is replaced when its content differs; otherwise it is left',
      ),
    preserve: z
      .boolean()
      .default(false)
      .describe('Whether the copy has the owners and mode of the source, where none are given'),
    subdir: z
      .boolean()
      .default(false)
      .describe('Whether the copy goes into `name` under its own name if that is a directory'),
    ...ownerFields,
    mode: fileMode
      .exactOptional()
      .describe(
        'Permissions; those of the source if absent, so that nobody else can read the copy',
      ),
    makedirs,
    dir_mode: dirMode,
  })
  .describe(
    'A copy of one file of the host. With `force` it is kept equal to its source; otherwise it is made once. Directories ' +
      'are not copied: file.recurse brings those of the tree, and cmd.run with `creates` can copy one of the host once.',
  );

type Args = z.infer<typeof schema>;

interface Place {
  readonly path: string;
  readonly status: FileStatus | null;
}

async function locate(args: Args, host: HostView): Promise<Place> {
  const path = await followLinks(args.name, host);
  const status = await host.status(path);
  if (status?.kind !== 'directory' || !args.subdir) return checked(path, status);
  const inside = posix.join(path, posix.basename(args.source));
  return checked(inside, await host.status(inside));
}

function checked(path: string, status: FileStatus | null): Place {
  if (status !== null && status.kind !== 'file') refuseKind(path, status, 'a file');
  return { path, status };
}

async function read(args: Args, host: HostView): Promise<Copy | null> {
  const { path, status } = await locate(args, host);
  const bytes = status === null ? null : await host.readFile(path);
  if (status === null || bytes === null) return null;
  const { user, group, mode } = status;
  return { digest: sha256Of(bytes), user, group, mode };
}

async function want(args: Args, host: HostView): Promise<Partial<Copy>> {
  const { status } = await locate(args, host);
  const isFilled = status === null || args.force;
  const bytes = isFilled ? await sourceOf(args, host) : null;
  const owners = await wantedOwnership(await ownersArgs(args, isFilled, host), host);
  return { ...(bytes === null ? {} : { digest: sha256Of(bytes) }), ...owners };
}

async function ownersArgs(args: Args, isFilled: boolean, host: HostView): Promise<OwnerArgs> {
  const { user, group, mode, preserve, source } = args;
  const given = said({ user, group, mode });
  const kept = isFilled ? await host.status(await followLinks(source, host)) : null;
  if (kept === null) return given;
  if (preserve) return { user: kept.user, group: kept.group, mode: kept.mode, ...given };
  // What runs as its owner there would run as another one here.
  return { mode: `0${kept.mode.slice(1)}`, ...given };
}

async function sourceOf({ source }: Args, host: HostView): Promise<Uint8Array> {
  const status = await host.status(await followLinks(source, host));
  if (status?.kind === 'directory') {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot copy "${source}": it is a directory (file.recurse brings those of the tree, cmd.run with \`creates\` can copy others)`,
      { inTheWay: [`path:${source}`] },
    );
  }
  const bytes = await host.readFile(source);
  if (bytes !== null) return bytes;
  throw new ConductorError('SOURCE_MISSING', `Cannot copy "${source}": there is no such file`, {
    lacks: [`path:${source}`],
  });
}

async function refuses(_change: Change<Copy>, args: Args, host: HostView): Promise<void> {
  const { path } = await locate(args, host);
  await refusePlace({ name: path, makedirs: args.makedirs }, host);
}

async function apply(change: Change<Copy>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { path, status } = await locate(args, host);
  const ownership = ownershipOf(await ownersArgs(args, status === null || args.force, host));
  if (change.to.digest === undefined) return host.own(path, ownership);
  const { makedirs: makes, dir_mode: dir } = args;
  await makeParents(
    { ...ownership, ...said({ dir_mode: dir }), name: path, makedirs: makes },
    host,
  );
  await host.writeFile(path, await sourceOf(args, host), ownership);
}

/** What is not said of owners and mode comes from the source. */
function settles({ name, source, force, subdir, preserve, ...owners }: Args): Settled {
  if (subdir) return {};
  const isKept = preserve ? 'yes' : undefined;
  return there(`path:${name}`, {
    kind: 'file',
    content: force ? `that of ${source}` : undefined,
    [ofItsOwn('mode')]: 'yes',
    [ofItsOwn('owner')]: isKept,
    [ofItsOwn('group')]: isKept,
    ...ownersSettled(owners),
  });
}

export const fileCopy = defineState({
  name: 'file.copy',
  schema,
  example: `/etc/ssh/sshd_config.orig:
  file.copy:
    source: /etc/ssh/sshd_config
`,
  digests: ['digest'],
  provides: ({ name }: Args) => [`path:${name}`],
  settles,
  needs: ({ name, source, user, group }: Args) => [
    ...pathAndParents(source),
    ...parentsOf(name),
    ...ownersOf(said({ user, group })),
  ],
  read,
  want,
  refuses,
  apply,
});
