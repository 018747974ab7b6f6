import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, CommandOptions, Host, HostView } from '../../../host/host.ts';
import { packagesChanged } from '../../lib/packages.ts';
import { isDirectory } from '../../lib/ownership.ts';
import { said } from '../../lib/said.ts';
import type { Surroundings } from '../cmd-schema.ts';

/** A command to run: what, with which input, and how to call it in messages. */
export interface Execution {
  readonly argv: Argv;
  readonly input: string;
  /** `"make install"`; not shown if its output is to be hidden. */
  readonly title: string;
  readonly args: Surroundings;
}

/**
 * Takes the script from its input up to a NUL; what follows is the input of the script itself. Node's pipes are sockets,
 * which nobody can open as `/dev/stderr`, so what the script prints goes through pipes of the shell's.
 */
const READ_SCRIPT =
  'IFS= read -r -d "" script && exec "$@" /dev/fd/3 3< <(printf %s "$script") > >(exec cat) 2> >(exec cat >&2)';

/** The program and its arguments, on pipes of the shell's. */
const ON_PIPES = 'exec "$@" > >(exec cat) 2> >(exec cat >&2)';

/** A script for a shell, which nobody sees in the list of processes. */
export function scriptOf(shell: Argv, script: string, args: Surroundings): Execution {
  return {
    argv: ['/bin/bash', '-c', READ_SCRIPT, 'bash', ...shell],
    input: `${script}\0${args.stdin ?? ''}`,
    title: titleOf(script),
    args,
  };
}

function titleOf(script: string): string {
  const [first = '', ...rest] = script.trim().split('\n');
  const more = rest.length === 1 ? 'one more line' : `${rest.length} more lines`;
  return rest.length === 0 ? `"${first}"` : `"${first}" and ${more}`;
}

/** A program with its arguments. */
export function programOf(argv: Argv, title: string, args: Surroundings): Execution {
  return {
    argv: ['/bin/bash', '-c', ON_PIPES, 'bash', ...argv],
    input: args.stdin ?? '',
    title,
    args,
  };
}

/** A plan says as well that there is nobody to run it as, or nowhere to run it. */
export async function needPlace({ runas, cwd }: Surroundings, host: HostView): Promise<void> {
  if (runas !== undefined && !(await host.accounts()).has(runas)) {
    const message = `Cannot run anything as "${runas}": there is no such user`;
    throw new ConductorError('COMMAND_FAILED', message, { lacks: [`user:${runas}`] });
  }
  if (cwd === undefined || (await isDirectory(cwd, host))) return;
  const message = `Cannot run anything in "${cwd}": there is no such directory`;
  throw new ConductorError('COMMAND_FAILED', message, { lacks: [`path:${cwd}`] });
}

/** Runs it, and answers with what it printed. Throws COMMAND_FAILED unless it exits as it may. */
export async function execute(execution: Execution, host: Host): Promise<string> {
  const { argv, input, args } = execution;
  try {
    return (await host.run(argv, { ...optionsOf(args), input })).stdout;
  } catch (error) {
    if (isSuccess(error, args)) return outputOf(error);
    throw failureOf(error, execution);
  } finally {
    packagesChanged(host);
  }
}

export function optionsOf({ cwd, runas, env, umask, timeout }: Surroundings): CommandOptions {
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

function isSuccess(error: unknown, { success_retcodes: good }: Surroundings): boolean {
  const exitCode = exitCodeOf(error);
  return exitCode !== null && good.includes(exitCode);
}

function outputOf(error: unknown): string {
  const output = error instanceof ConductorError ? error.details['output'] : '';
  return typeof output === 'string' ? output : '';
}

/** What is reported of what it printed: nothing if that is to be hidden. */
export function shown(output: string, args: Surroundings): { readonly printed: string } {
  return { printed: hidesOutput(args) ? '' : output };
}

function hidesOutput({ hide_output: isHidden, output_loglevel: level }: Surroundings): boolean {
  return isHidden || level === 'quiet';
}

/** Names the script and not the shell; without what it printed if that is to be hidden. */
function failureOf(error: unknown, { title, args }: Execution): unknown {
  if (!(error instanceof ConductorError)) return error;
  const isHidden = hidesOutput(args);
  const message = messageFor(error, isHidden ? 'the command' : title);
  if (message === null) return error;
  const exitCode = exitCodeOf(error);
  return new ConductorError(error.code, message, {
    ...(exitCode === null ? {} : { exitCode }),
    ...(isHidden ? {} : { output: outputOf(error) }),
  });
}

/** `null` if it is not the command's own failure. */
function messageFor(error: ConductorError, shown: string): string | null {
  const exitCode = exitCodeOf(error);
  if (exitCode !== null) return `Cannot run ${shown}: it exited with ${exitCode}`;
  const { seconds } = error.details;
  if (error.code !== 'COMMAND_TIMEOUT' || typeof seconds !== 'number') return null;
  return `Cannot finish ${shown}: it ran longer than ${seconds} s`;
}
