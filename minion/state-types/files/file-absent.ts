import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { absolutePath } from '../lib/fields.ts';
import { refuseMounts, refuseFixed } from '../lib/places.ts';
import { gone } from '../lib/settled.ts';

/** What stands where nothing should. */
export type Anything = { kind: string; user: string; group: string; mode: string };

/** Directories without which a host is none. */
const VITAL = /^\/(?:bin|boot|dev|etc|home|lib|lib64|proc|root|run|sbin|sys|usr|var)?$/u;

const schema = z
  .strictObject({
    name: absolutePath
      .refine((path) => !VITAL.test(path), { error: 'a host does not work without this directory' })
      .describe('What is not to exist: a file, a link, or a directory with all that is in it'),
  })
  .describe(
    'Nothing at this path. A directory goes with everything in it; of a symbolic link only the link goes.',
  );

type Args = z.infer<typeof schema>;

export const fileAbsent = defineState({
  name: 'file.absent',
  schema,
  example: `/etc/nginx/sites-enabled/default:
  file.absent: {}
`,
  takes: ({ name }: Args) => [`path:${name}`],
  settles: ({ name }: Args) => gone([`path:${name}`]),
  path: ({ name }: Args) => name,
  async read({ name }: Args, host: HostView): Promise<Anything | null> {
    const status = await host.status(name);
    if (status === null) return null;
    const { kind, user, group, mode } = status;
    return { kind, user, group, mode };
  },
  want: () => null,
  async refuses(_change: Change<Anything>, { name }: Args, host: HostView) {
    await refuseMounts([name], host);
    await refuseFixed(name, host);
  },
  async apply(_change: Change<Anything>, { name }: Args, host: Host) {
    await host.remove(name);
    if (name.includes('/systemd/')) host.changed('services');
  },
});
