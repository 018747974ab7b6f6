import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { absolutePath } from '../lib/fields.ts';
import { patience, waitUntil } from './lib/wait.ts';

/** Whether a path is as it is waited for, and what was seen there. */
type FileState = { ok: boolean; saw: string };

const schema = z
  .strictObject({
    name: absolutePath.describe('The path'),
    absent: z
      .boolean()
      .default(false)
      .describe('Whether it is waited until nothing stands there any more'),
    contains: z.string().min(1).exactOptional().describe('A text that must stand in the file'),
    ...patience,
  })
  .refine(({ absent, contains }) => !absent || contains === undefined, {
    error: 'what is not there contains nothing',
    path: ['contains'],
  })
  .describe(
    'Waits until something stands at a path: a file, if need be with some text in it, a socket or a directory; or until ' +
      'nothing stands there any more.',
  );

type Args = z.infer<typeof schema>;

async function read(args: Args, host: HostView): Promise<FileState> {
  const status = await host.status(args.name);
  if (status === null) return { ok: args.absent, saw: 'nothing' };
  if (args.absent) return { ok: false, saw: 'something' };
  if (args.contains === undefined) return { ok: true, saw: 'something' };
  const bytes = await host.readFile(args.name);
  if (bytes === null) return { ok: false, saw: 'no regular file' };
  const isThere = Buffer.from(bytes).toString('utf8').includes(args.contains);
  return { ok: isThere, saw: isThere ? 'the text' : 'a file without the text' };
}

async function apply(args: Args, host: Host): Promise<void> {
  let seen = '';
  const look = async (): Promise<boolean> => {
    const { ok, saw } = await read(args, host);
    seen = saw;
    return ok;
  };
  if (await waitUntil(look, args, host)) return;
  throw new ConductorError(
    'COMMAND_TIMEOUT',
    `Cannot wait for "${args.name}" any longer: there is ${seen} after ${args.timeout} s`,
  );
}

export const waitFile = defineState<Args, FileState>({
  name: 'wait.file',
  schema,
  example: `the application listens:
  wait.file:
    name: /run/shop/shop.sock
    timeout: 30
`,
  awaits: true,
  read,
  want: () => ({ ok: true }),
  apply: (_change, args, host) => apply(args, host),
});
