import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { MAY_HOLD_SECRET, absolutePath } from '../lib/fields.ts';
import { needProgram } from '../lib/programs.ts';
import { ownersOf, pathAndParents } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { surroundings, verdict } from './cmd-schema.ts';
import type { Surroundings } from './cmd-schema.ts';
import { execute, needPlace, scriptOf, shown } from './lib/execute.ts';
import { hasChanged, uncertaintyOf, wouldChange } from './lib/verdict.ts';

/** That a command has run; that it had to is for its guards to say. */
export type Ran = { ran: boolean };

const fields = {
  name: z
    .string()
    .regex(/^[^\0]*\S[^\0]*$/u)
    .describe('The command line, or a script of several lines')
    .meta(MAY_HOLD_SECRET),
  ...surroundings,
  shell: absolutePath.default('/bin/bash').describe('The shell that reads it'),
  strict: z
    .boolean()
    .default(true)
    .describe('Whether a script of several lines ends at the first command that fails'),
};

const runSchema = z
  .strictObject({ ...fields, ...verdict })
  .describe(
    'Runs a command line or script with a shell. It has no wanted state of its own, so it needs a guard: ' +
      '`unless`, `onlyif`, `creates`, `onchanges`, or `always: true`. A script of several lines ends at the ' +
      'first command that fails, also in a pipe. The script reaches the shell by a pipe and is never seen in the process list.',
  );

const waitSchema = z
  .strictObject({
    ...fields,
    stateful: z
      .boolean()
      .default(false)
      .describe(
        'Whether the last line that it prints says if it has changed anything, as of cmd.run',
      ),
  })
  .describe('Runs a command line or script only when something that it watches has changed.');

type WaitArgs = z.infer<typeof waitSchema>;
type Command = Omit<WaitArgs, 'stateful'>;
type RunArgs = z.infer<typeof runSchema>;

function executionOf(args: Command) {
  return scriptOf([args.shell, ...strictness(args)], args.name, args);
}

function strictness({ name, strict, shell }: Command): string[] {
  if (!strict || !name.trim().includes('\n')) return [];
  return /(?:bash|zsh|ksh)$/u.test(shell) ? ['-e', '-o', 'pipefail'] : ['-e'];
}

/** The directory and the user of a command. */
export function needsOf({ cwd, runas }: Surroundings): string[] {
  return [...(cwd === undefined ? [] : pathAndParents(cwd)), ...ownersOf(said({ user: runas }))];
}

async function react(args: WaitArgs | RunArgs, host: Host): Promise<string> {
  const output = await execute(executionOf(args), host);
  return args.stateful === false || hasChanged(output) ? 'ran' : 'unchanged';
}

export const cmdRun = defineState({
  name: 'cmd.run',
  schema: runSchema,
  example: `make the certificate:
  cmd.run:
    name: |
      openssl genrsa -out key.pem 4096
      openssl req -new -x509 -key key.pem -out cert.pem -subj /CN=example.org
    cwd: /etc/ssl/private
    creates: /etc/ssl/private/cert.pem
`,
  needsGuard: true,
  oneShot: true,
  needs: needsOf,
  uncertain: (args: RunArgs) => uncertaintyOf(args),
  async read(args: RunArgs, host: HostView): Promise<Ran | null> {
    await needPlace(args, host);
    return { ran: (await wouldChange(args, host)) === false };
  },
  want: (): Partial<Ran> => ({ ran: true }),
  refuses: async (_change: Change<Ran>, { shell }: RunArgs, host: HostView) =>
    needProgram(shell, host),
  async apply(_change: Change<Ran>, args: RunArgs, host: Host) {
    const output = await execute(executionOf(args), host);
    return args.stateful === false || hasChanged(output) ? shown(output, args) : 'unchanged';
  },
  react,
});

export const cmdWait = defineState({
  name: 'cmd.wait',
  schema: waitSchema,
  example: `newaliases:
  cmd.wait:
    watch: [{file: /etc/aliases}]

/etc/aliases:
  file.managed:
    mode: "0644"
`,
  oneShot: true,
  needs: needsOf,
  read: async (): Promise<Ran | null> => ({ ran: false }),
  want: (): Partial<Ran> => ({}),
  async refusesReaction(args: WaitArgs, host: HostView) {
    await needPlace(args, host);
    await needProgram(args.shell, host);
  },
  // It wants nothing of the host, so there is never a change to carry out.
  apply: async () => undefined,
  react,
});
