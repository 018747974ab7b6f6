import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { FileStatus, HostView } from '../../host/host.ts';
import { absolutePath } from '../lib/fields.ts';
import { pathAndParents } from '../lib/resources.ts';

/** What stands at a path. */
export type Present = { kind: FileStatus['kind'] };

const existsSchema = z
  .strictObject({ name: absolutePath.describe('What must exist, of whatever kind it is') })
  .describe(
    'Fails unless something exists at this path, and changes nothing: for states that require it.',
  );

const missingSchema = z
  .strictObject({ name: absolutePath.describe('What must not exist, of whatever kind it is') })
  .describe(
    'Fails if anything exists at this path, and changes nothing: for states that require it. To take something away there is `file.absent`.',
  );

type Args = z.infer<typeof existsSchema>;

function refuse(name: string, state: string, details = {}): never {
  throw new ConductorError('STATE_REFUSED', `Cannot go on with "${name}": ${state}`, details);
}

/** What the kernel shows there comes and goes with whatever happens on the host. */
const OF_KERNEL = /^\/(?:dev|proc|run|sys)\//u;

function absence(name: string): { readonly lacks: readonly string[] | null } {
  return { lacks: OF_KERNEL.test(name) ? null : [`path:${name}`] };
}

async function nothing(): Promise<void> {
  // There is nothing to bring about: what is not as it must be has been refused on reading.
}

export const fileExists = defineState({
  name: 'file.exists',
  schema: existsSchema,
  example: `/srv/backup/mounted:
  file.exists: {}
`,
  needs: ({ name }: Args) => pathAndParents(name),
  async read({ name }: Args, host: HostView): Promise<Present> {
    const status = await host.status(name);
    return status === null
      ? refuse(name, 'it does not exist', absence(name))
      : { kind: status.kind };
  },
  want: (): Partial<Present> => ({}),
  apply: nothing,
});

export const fileMissing = defineState({
  name: 'file.missing',
  schema: missingSchema,
  example: `/etc/nologin:
  file.missing: {}
`,
  async read({ name }: Args, host: HostView): Promise<null> {
    const status = await host.status(name);
    const kinds = {
      file: 'a file',
      directory: 'a directory',
      symlink: 'a symbolic link',
      other: 'something',
    };
    return status === null ? null : refuse(name, `${kinds[status.kind]} is there`, { lacks: null });
  },
  want: () => null,
  apply: nothing,
});
