import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { absolutePath, refusedArgument } from '../lib/fields.ts';
import { followLinks, makeParents, refuseKind } from '../lib/ownership.ts';
import { refusePlace } from '../lib/places.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { there } from '../lib/settled.ts';
import { makedirs } from './lib/edit-fields.ts';

/** That a file is there, and when its content was last changed, in seconds since 1970. */
export type Touched = { kind: 'file'; mtime?: number };

/** Seconds since 1970, or a moment such as 2026-05-17T10:00:00Z. */
const moment = z
  .union([z.int().nonnegative(), z.iso.datetime({ offset: true }), z.iso.date()])
  .transform((given) => (typeof given === 'number' ? given : Math.floor(Date.parse(given) / 1000)));

const schema = z
  .strictObject({
    name: absolutePath.describe('Which file'),
    mtime: moment
      .exactOptional()
      .describe(
        'When its content was last changed: seconds since 1970, or a moment such as 2026-05-17T10:00:00Z',
      ),
    makedirs,
    atime: refusedArgument('a file is read all the time, so nothing could keep it as it is'),
  })
  .describe(
    'A regular file that exists; a new one is empty. Without `mtime` a file that is there is left as it is, so ' +
      'that a second run changes nothing.',
  );

type Args = z.infer<typeof schema>;

async function read({ name, mtime }: Args, host: HostView): Promise<Touched | null> {
  const path = await followLinks(name, host);
  const status = await host.status(path);
  if (status === null) return null;
  if (status.kind !== 'file') refuseKind(path, status, 'a file');
  return {
    kind: 'file',
    ...(mtime === undefined ? {} : { mtime: Math.floor(status.mtimeMs / 1000) }),
  };
}

async function refuses(_change: Change<Touched>, args: Args, host: HostView): Promise<void> {
  const name = await followLinks(args.name, host);
  await refusePlace({ name, makedirs: args.makedirs }, host);
}

async function apply(
  change: Change<Touched>,
  { name, mtime, ...args }: Args,
  host: Host,
): Promise<void> {
  const path = await followLinks(name, host);
  const times = said({ modified: mtime });
  if (change.action === 'update') return host.own(path, times);
  await makeParents({ name: path, makedirs: args.makedirs }, host);
  return host.writeFile(path, '', times);
}

export const fileTouch = defineState({
  name: 'file.touch',
  schema,
  example: `/var/log/shop/access.log:
  file.touch:
    makedirs: true
`,
  provides: ({ name }: Args) => [`path:${name}`],
  settles: ({ name, mtime }: Args) => there(`path:${name}`, { kind: 'file', mtime }),
  needs: ({ name }: Args) => parentsOf(name),
  read,
  want: ({ mtime }: Args): Partial<Touched> => ({ kind: 'file', ...said({ mtime }) }),
  refuses,
  apply,
});
