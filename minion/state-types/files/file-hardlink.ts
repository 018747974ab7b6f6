import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { absolutePath, refusedArgument } from '../lib/fields.ts';
import { makeParents, refuseKind } from '../lib/ownership.ts';
import { refuseOtherFileSystem, refusePlace } from '../lib/places.ts';
import { parentsOf, pathAndParents } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { there } from '../lib/settled.ts';
import { dirMode, makedirs } from './lib/edit-fields.ts';

/** Which file a name leads to; `target` is `null` if it is another one. */
export type HardLink = { target: string | null };

const OF_TARGET = 'all names of a file have its owners and mode: give them to the target';

const schema = z
  .strictObject({
    name: absolutePath.describe('The further name'),
    target: absolutePath.describe('The file that gets it'),
    force: z
      .boolean()
      .default(false)
      .describe('Whether another file that stands at this path is replaced'),
    makedirs,
    dir_mode: dirMode,
    user: refusedArgument(OF_TARGET),
    group: refusedArgument(OF_TARGET),
  })
  .describe('A further name of a regular file on the same file system (a hard link).');

type Args = z.infer<typeof schema>;

async function read({ name, target, force }: Args, host: HostView): Promise<HardLink | null> {
  const status = await host.status(name);
  const wanted = await host.status(target);
  if (wanted !== null && wanted.kind !== 'file')
    refuseKind(target, wanted, 'a file with two names');
  if (status === null) return null;
  if (wanted !== null && status.inode === wanted.inode) return { target };
  if (status.kind === 'directory' || !force) refuseKind(name, status, `a name of "${target}"`);
  return { target: null };
}

async function want({ target }: Args, host: HostView): Promise<Partial<HardLink>> {
  if ((await host.status(target)) !== null) return { target };
  throw new ConductorError('SOURCE_MISSING', `Cannot link to "${target}": there is no such file`, {
    lacks: [`path:${target}`],
  });
}

export const fileHardlink = defineState({
  name: 'file.hardlink',
  schema,
  example: `/srv/mirror/release.tar.gz:
  file.hardlink:
    target: /srv/releases/release-2.tar.gz
    force: true
`,
  provides: ({ name }: Args) => [`path:${name}`],
  settles: ({ name, target, force }: Args) =>
    force ? there(`path:${name}`, { target }) : there(`path:${name}`),
  needs: ({ name, target }: Args) => [...pathAndParents(target), ...parentsOf(name)],
  read,
  want,
  async refuses(
    _change: Change<HardLink>,
    { name, target, makedirs: makes }: Args,
    host: HostView,
  ) {
    await refusePlace({ name, makedirs: makes }, host);
    const what = `give "${target}" the name "${name}"`;
    await refuseOtherFileSystem({ what, from: target, to: name }, host);
  },
  async apply(_change: Change<HardLink>, { name, target, ...args }: Args, host: Host) {
    const { makedirs: makes, dir_mode: dir } = args;
    await makeParents({ name, makedirs: makes, ...said({ dir_mode: dir }) }, host);
    await host.hardLink(name, target);
  },
});
