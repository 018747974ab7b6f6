import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { absolutePath } from '../lib/fields.ts';
import { makeParents } from '../lib/ownership.ts';
import { refuseOtherFileSystem, refusePlace, refuseFixed } from '../lib/places.ts';
import { parentsOf, pathAndParents } from '../lib/resources.ts';
import { gone, there } from '../lib/settled.ts';
import { makedirs } from './lib/edit-fields.ts';

/** Whether what was to be renamed still stands at its old place. */
export type Renamed = { renamed: boolean };

const schema = z
  .strictObject({
    name: absolutePath.describe('Where it is to be'),
    source: absolutePath.describe('Where it is now'),
    force: z
      .boolean()
      .default(false)
      .describe('Whether a file or link that stands at the new place is replaced'),
    makedirs,
  })
  .describe(
    'What stands at `source` moved to `name` in one step. Once there is nothing at `source`, there is nothing to do.',
  );

type Args = z.infer<typeof schema>;

async function read({ name, source, force }: Args, host: HostView): Promise<Renamed> {
  if ((await host.status(source)) === null) return { renamed: true };
  const target = await host.status(name);
  if (target !== null && (!force || target.kind === 'directory')) {
    const help = target.kind === 'directory' ? '' : ' (force: true replaces it)';
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot rename "${source}" to "${name}": something is there already${help}`,
      { inTheWay: [`path:${name}`] },
    );
  }
  return { renamed: false };
}

export const fileRename = defineState({
  name: 'file.rename',
  schema,
  example: `/etc/shop/settings.ini:
  file.rename:
    source: /etc/shop/shop.ini
`,
  provides: ({ name }: Args) => [`path:${name}`],
  takes: ({ source }: Args) => [`path:${source}`],
  settles: ({ name, source }: Args) => ({
    ...there(`path:${name}`),
    ...gone([`path:${source}`]),
  }),
  needs: ({ name, source }: Args) => [...pathAndParents(source), ...parentsOf(name)],
  read,
  want: (): Partial<Renamed> => ({ renamed: true }),
  async refuses(_change: Change<Renamed>, { name, source, makedirs: makes }: Args, host: HostView) {
    await refusePlace({ name, makedirs: makes }, host);
    await refuseFixed(source, host);
    const what = `rename "${source}" to "${name}"`;
    await refuseOtherFileSystem({ what, from: source, to: name }, host);
  },
  async apply(_change: Change<Renamed>, args: Args, host: Host) {
    await makeParents({ name: args.name, makedirs: args.makedirs }, host);
    await host.rename(args.source, args.name);
  },
});
