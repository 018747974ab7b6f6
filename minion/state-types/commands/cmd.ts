import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { CommandOptions, Host } from '../../host/host.ts';
import { beginningOf } from '../../../shared/excerpt.ts';
import { absolutePath, accountName, environment, fileMode, seconds } from '../lib/fields.ts';
import { packagesChanged } from '../lib/packages.ts';
import { ownersOf, pathAndParents } from '../lib/resources.ts';
import { said } from '../lib/said.ts';

/** That a command has run; that it had to is for its guards to say. */
export type Ran = { ran: boolean };

const fields = {
  name: z
    .string()
    .regex(/^[^\0]*\S[^\0]*$/u)
    .describe('The command line, or a script of several lines'),
  cwd: absolutePath.exactOptional().describe('Directory to run it in; / if absent'),
  runas: accountName
    .exactOptional()
    .describe('Who runs it, with the groups and the home of that user; root if absent'),
  env: environment.exactOptional().describe('Environment variables'),
  umask: fileMode.exactOptional().describe('umask to run it with'),
  timeout: seconds
    .min(0.1)
    .exactOptional()
    .describe('Seconds after which it is ended; 300 if absent'),
  stdin: z
    .string()
    .exactOptional()
    .describe('Given on its standard input, which is empty otherwise'),
  success_retcodes: z
    .array(z.int().min(0).max(255))
    .default([0])
    .describe('Exit codes that count as success'),
  hide_output: z
    .boolean()
    .default(false)
    .describe('Whether what it prints is left out of errors and reports'),
  shell: absolutePath.default('/bin/bash').describe('The shell that reads it'),
  strict: z
    .boolean()
    .default(true)
    .describe('Whether a script of several lines ends at the first command that fails'),
};

const runSchema = z
  .strictObject({
    ...fields,
    always: z
      .boolean()
      .default(false)
      .describe('`true` says that it is meant to run every time, without a guard'),
  })
  .describe(
    'Runs a command line or script with a shell. It has no wanted state of its own, so it needs a guard: ' +
      '`unless`, `onlyif`, `creates`, `onchanges`, or `always: true`. A script of several lines ends at the ' +
      'first command that fails. The script reaches the shell by a pipe and is never seen in the process list.',
  );

const waitSchema = z
  .strictObject(fields)
  .describe('Runs a command line or script only when something that it watches has changed.');

type RunArgs = z.infer<typeof waitSchema>;

/** Takes the script from its input up to a NUL; what follows is the input of the script itself. */
const READ_SCRIPT = 'IFS= read -r -d "" script && exec "$@" /dev/fd/3 3< <(printf %s "$script")';

async function runScript(args: RunArgs, host: Host): Promise<void> {
  const { name, stdin = '' } = args;
  const argv = ['/bin/bash', '-c', READ_SCRIPT, 'bash', args.shell, ...strictness(args)] as const;
  try {
    await host.run(argv, { ...optionsOf(args), input: `${name}\0${stdin}` });
  } catch (error) {
    if (!isSuccess(error, args)) throw failureOf(error, args);
  } finally {
    packagesChanged(host);
  }
}

function strictness({ name, strict, shell }: RunArgs): string[] {
  if (!strict || !name.trim().includes('\n')) return [];
  return /(?:bash|zsh|ksh)$/u.test(shell) ? ['-e', '-o', 'pipefail'] : ['-e'];
}

function optionsOf({ cwd, runas, env, umask, timeout }: RunArgs): CommandOptions {
  return said({
    cwd,
    user: runas,
    env,
    umask,
    timeoutMs: timeout === undefined ? undefined : timeout * 1000,
  });
}

function exitCodeOf(error: unknown): number | null {
  if (!(error instanceof ConductorError) || error.code !== 'COMMAND_FAILED') return null;
  const { exitCode } = error.details;
  return typeof exitCode === 'number' ? exitCode : null;
}

function isSuccess(error: unknown, { success_retcodes: good }: RunArgs): boolean {
  const exitCode = exitCodeOf(error);
  return exitCode !== null && good.includes(exitCode);
}

/** Names the script and not the shell; without what it printed if that is to be hidden. */
function failureOf(error: unknown, { name, hide_output: hidden }: RunArgs): unknown {
  const exitCode = exitCodeOf(error);
  if (exitCode === null || !(error instanceof ConductorError)) return error;
  const { output } = error.details;
  const first = name.trim().split('\n')[0] ?? '';
  const shown = hidden ? 'the command' : `"${beginningOf(first, 120)}"`;
  return new ConductorError('COMMAND_FAILED', `Cannot run ${shown}: it exited with ${exitCode}`, {
    exitCode,
    ...(hidden ? {} : { output }),
  });
}

const needs = ({ cwd, runas }: RunArgs): string[] => [
  ...(cwd === undefined ? [] : pathAndParents(cwd)),
  ...ownersOf(said({ user: runas })),
];

async function react(args: RunArgs, host: Host): Promise<string> {
  await runScript(args, host);
  return 'ran';
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
  needs,
  read: async (): Promise<Ran | null> => ({ ran: false }),
  want: (): Partial<Ran> => ({ ran: true }),
  async apply(_change: Change<Ran>, args: RunArgs, host: Host) {
    await runScript(args, host);
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
  needs,
  read: async (): Promise<Ran | null> => ({ ran: false }),
  want: (): Partial<Ran> => ({}),
  // It wants nothing of the host, so there is never a change to carry out.
  apply: async () => undefined,
  react,
});
