import { ConductorError } from '../../../shared/errors.ts';
import type { Argv, CommandOptions, HostView, Output } from '../../host/host.ts';

/**
 * The last lines that a command wrote, its complaints before all else; of a Python program the error
 * without the way to it. What a message shows.
 */
export function lastWords({ stderr, stdout }: Output, count = 6): string {
  const text = (stderr.trim() === '' ? stdout : stderr).trim();
  const lines = text.split('\n');
  const isTraceback = lines.some((line) => line.startsWith('Traceback (most recent call last)'));
  return isTraceback ? (lines.at(-1) ?? '') : lines.slice(-count).join('\n');
}

/** What a command that only looks has printed; a failure of it is COMMAND_FAILED, told as `purpose`. */
export async function ask(
  host: HostView,
  argv: Argv,
  purpose: string,
  options: CommandOptions = {},
): Promise<string> {
  const output = await host.query(argv, options);
  if (output.exitCode === 0) return output.stdout;
  throw failed(purpose, argv, output);
}

/** What git has many words for. */
function foreignTree({ stderr }: Output): string | null {
  const { path } =
    /detected dubious ownership in repository at '(?<path>.*)'/u.exec(stderr)?.groups ?? {};
  if (path === undefined) return null;
  return `"${path}" belongs to another account than the one that looks (say whose it is in \`user\`)`;
}

/** The error for a command that did not do what it was run for. */
export function failed(purpose: string, argv: Argv, output: Output): ConductorError {
  const state =
    output.exitCode === 127
      ? `there is no program "${argv[0]}" on this host`
      : `${argv[0]} exited with ${output.exitCode}: ${foreignTree(output) ?? lastWords(output)}`;
  return new ConductorError('COMMAND_FAILED', `Cannot ${purpose}: ${state}`, {
    exitCode: output.exitCode,
    // Whole: a part of a secret, where it would be cut, could not be found any more.
    output: `${output.stdout}\n${output.stderr}`.trim(),
  });
}
