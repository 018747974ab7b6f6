import type { Declaration } from '../../language/declaration.ts';
import type { HostView } from '../host/host.ts';

/**
 * Takes its line from standard input, so that a secret in it never stands in an argument. Node's pipes are sockets, which
 * nobody can open as `/dev/stderr`: what it prints goes through a pipe of the shell's.
 */
const SHELL = [
  '/bin/bash',
  '-c',
  'exec /bin/sh -c "$0" > >(exec cat) 2>&1',
  'eval "$(cat)"',
] as const;

/** A guard that stops a state. */
export interface Stopped {
  readonly because: string;
  /** It asked a command, whose answer may be another once states before this one have changed. */
  readonly byCommand: boolean;
}

/** Asks the guards of a declaration; `null` if it is to be run. */
export async function guardedBy(
  { guards: { unless, onlyif, creates }, runas }: Declaration,
  host: HostView,
): Promise<Stopped | null> {
  const asks = async (line: string): Promise<boolean> => succeeds(line, runas, host);

  if (creates.length > 0 && (await every(creates, async (path) => exists(path, host)))) {
    const paths = creates.map((path) => `"${path}"`).join(', ');
    return { because: `creates: ${paths} exists`, byCommand: false };
  }
  if (unless.length > 0 && (await every(unless, asks))) {
    return { because: 'unless: the condition holds', byCommand: true };
  }
  for (const line of onlyif) {
    const { exitCode } = await ask(line, runas, host);
    if (exitCode !== 0) return { because: `onlyif: ${failed(line, exitCode)}`, byCommand: true };
  }
  return null;
}

/** What the shell says if there is no such program. */
const NOT_FOUND = 127;

/** A program that is misspelt is no condition that does not hold. */
function failed(line: string, exitCode: number): string {
  if (exitCode !== NOT_FOUND) return 'the condition does not hold';
  return `a program of "${line}" is not there, so the condition does not hold`;
}

/** The first of these commands that fails, with its output; `null` if all succeed. */
export async function failingCheck(
  { checkCommands, runas }: Declaration,
  host: HostView,
): Promise<{ readonly line: string; readonly output: string } | null> {
  for (const line of checkCommands) {
    const { exitCode, stdout, stderr } = await ask(line, runas, host);
    if (exitCode !== 0) return { line, output: `${stdout}\n${stderr}`.trim() };
  }
  return null;
}

/** Something has to be at the end of a symbolic link, too. */
async function exists(path: string, host: HostView): Promise<boolean> {
  const status = await host.status(path);
  if (status?.kind !== 'symlink') return status !== null;
  return (await host.query(['test', '-e', path])).exitCode === 0;
}

async function succeeds(line: string, user: string | null, host: HostView): Promise<boolean> {
  return (await ask(line, user, host)).exitCode === 0;
}

async function ask(line: string, user: string | null, host: HostView) {
  return host.query(SHELL, { input: line, ...(user === null ? {} : { user }) });
}

/** One after the other, no more than it takes. */
async function every<T>(items: readonly T[], holds: (item: T) => Promise<boolean>) {
  for (const item of items) if (!(await holds(item))) return false;
  return true;
}
