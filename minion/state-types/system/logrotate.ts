import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Surroundings } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { SECRET_MODE } from '../lib/secrecy.ts';
import { refuseConfiguration } from '../lib/staged.ts';
import { ONE_SOURCE, hasOneSource, textFrom, textSource } from '../lib/text-source.ts';
import { fileSettled } from '../lib/settled.ts';

/** How the rotation of some logs is configured. */
export type Rotation = { content: string; user: string; group: string; mode: string };

const DIRECTORY = '/etc/logrotate.d';

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(/^(?!\.)[\w.+-]{1,100}(?<!\.(?:bak|old|dpkg-\w+|disabled|rpm\w+|swp))$/u, {
        error: 'expected the name of a file that logrotate reads, such as shop',
      })
      .describe('Name of the file in /etc/logrotate.d'),
    ...textSource,
  })
  .refine(hasOneSource, ONE_SOURCE)
  .describe(
    'A file in /etc/logrotate.d. logrotate reads the whole configuration with the new file in it before anything is ' +
      'replaced, and a mistake in it, or a log that two files name, is refused. The file belongs to root, as logrotate wants it.',
  );

type Args = z.infer<typeof schema>;

/**
 * A fixed text; what varies comes in as arguments. logrotate goes on after a mistake, and ends with 1 for
 * a log that is not there yet as well, so its words are looked at.
 */
const CHECK =
  'out=$(logrotate --debug /etc/logrotate.conf 2>&1); code=$?; [ $code -ne 127 ] || exit 127; ' +
  'if [ $code -gt 1 ]; then printf "%s\\n" "$out"; exit 1; fi; ' +
  'bad=$(printf "%s\\n" "$out" | grep -E "^error: ([^ ]+:[0-9]+ |found error in )") || exit 0; printf "%s\\n" "$bad"; exit 1';

async function read({ name }: Args, host: HostView): Promise<Rotation | null> {
  const status = await host.status(`${DIRECTORY}/${name}`);
  const bytes = status === null ? null : await host.readFile(`${DIRECTORY}/${name}`);
  if (status === null || bytes === null) return null;
  const { user, group, mode } = status;
  return { content: Buffer.from(bytes).toString(), user, group, mode };
}

/** What the compiler says of it, too. */
type Told = Args & { readonly holdsSecret?: boolean };

function modeOf({ holdsSecret }: Told): string {
  return holdsSecret === true ? SECRET_MODE : '0644';
}

async function refuses(_change: Change<Rotation>, args: Told, host: HostView): Promise<void> {
  const piece = { kind: 'file', content: textFrom(args), mode: modeOf(args) } as const;
  const configuration = {
    what: `the rotation of logs "${args.name}"`,
    directory: DIRECTORY,
    pieces: new Map([[`${DIRECTORY}/${args.name}`, piece]]),
    check: ['sh', '-c', CHECK],
    judge: 'logrotate',
  } as const;
  await refuseConfiguration(configuration, host);
}

/** Nobody holds the old rules: logrotate reads them anew each time. */
async function apply(_change: Change<Rotation>, args: Told, host: Host): Promise<void> {
  const path = `${DIRECTORY}/${args.name}`;
  if ((await host.status(path))?.kind === 'symlink') await host.remove(path);
  await host.writeFile(path, textFrom(args), { user: 'root', group: 'root', mode: modeOf(args) });
}

export const logrotateConfig = defineState({
  name: 'logrotate.config',
  schema,
  example: `shop:
  logrotate.config:
    contents: |
      /var/log/shop/*.log {
          weekly
          rotate 8
          compress
          missingok
      }
`,
  treeFiles: ['source'],
  textAttribute: 'content',
  knowing: (args: Told, { holdsSecret }: Surroundings): Told => ({ ...args, holdsSecret }),
  provides: ({ name }: Args) => [`path:${DIRECTORY}/${name}`],
  writes: ({ name }: Args) => [`${DIRECTORY}/${name}`],
  settles: (args: Args) => fileSettled(`${DIRECTORY}/${args.name}`, textFrom(args)),
  needs: () => ['package:logrotate', `path:${DIRECTORY}`],
  read,
  want: (args: Told): Partial<Rotation> => ({
    content: textFrom(args),
    user: 'root',
    group: 'root',
    mode: modeOf(args),
  }),
  refuses,
  apply,
});
