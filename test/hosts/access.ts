import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { run, SYSTEM_PATH } from './command.ts';
import type { Argv, Output } from './command.ts';
import { enter, findLeader } from './enter.ts';
import { HostError } from './host-error.ts';
import type { HostRecord } from './records.ts';

export interface ExecOptions {
  readonly input?: string | Uint8Array | Readable;
  /** `root` if absent. */
  readonly user?: string;
  /** Added to what every process on the host has. */
  readonly env?: Readonly<Record<string, string>>;
  /** `/` if absent. */
  readonly cwd?: string;
  /** Kills the program (and what it has started) after so long; two minutes if absent. */
  readonly timeoutMs?: number;
  /** Every exit code is an answer; otherwise anything but 0 throws HostError with the output. */
  readonly allowFailure?: boolean;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** What can be done in a host that is on. Everything throws HostError if it is off. */
export interface Access {
  /** Runs a program on it. */
  exec(argv: Argv, options?: ExecOptions): Promise<Output>;
  /** Replaces a file, with the directories above it; owned by root, mode 0644 if none is given. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** The text of a file; throws if there is none. */
  read(path: string): Promise<string>;
  /** Copies a file (with its mode) or the content of a directory from this machine to `path`; owned by root. */
  copyIn(localPath: string, path: string): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

const EXEC_MS = 300_000;

/** Replaces the file $1 by what comes in, with mode $2, in one step. Constant: what varies are its arguments. */
const REPLACE =
  'mkdir -p -- "$(dirname -- "$1")" && cat >"$1.new" && chmod "$2" "$1.new" && mv -fT -- "$1.new" "$1"';

/** The ways into a host, whose record may change from call to call; `environment` is what all its programs get. */
export function openAccess(record: () => HostRecord, environment: Environment): Access {
  async function exec(argv: Argv, options: ExecOptions = {}): Promise<Output> {
    const { user = 'root', cwd = '/', env = {}, ...rest } = options;
    const host = record();
    const own = await identityOf(user);
    return run(enter(host, leaderOf(host), argv, { user, cwd }), {
      timeoutMs: EXEC_MS,
      ...rest,
      env: { ...own, ...environment, ...env },
      title: `${argv.join(' ')} on host "${host.name}"`,
    });
  }

  /** What a login gives a user's programs. */
  async function identityOf(user: string): Promise<Environment> {
    const home = user === 'root' ? '/root' : await homeOf(user);
    return { PATH: SYSTEM_PATH, HOME: home, USER: user, LOGNAME: user, LANG: 'C.UTF-8' };
  }

  async function homeOf(user: string): Promise<string> {
    const { stdout } = await exec(['getent', 'passwd', user]);
    return stdout.trimEnd().split(':')[5] ?? '/';
  }

  async function write(path: string, content: ExecOptions['input'], mode = 0o644): Promise<void> {
    const octal = mode.toString(8).padStart(4, '0');
    await exec(['/bin/sh', '-c', REPLACE, 'sh', path, octal], { input: content ?? '' });
  }

  async function copyIn(localPath: string, path: string): Promise<void> {
    const about = statSync(localPath);
    if (!about.isDirectory()) return write(path, createReadStream(localPath), about.mode & 0o7777);
    await exec(['mkdir', '--parents', path]);
    const packing = ['--create', `--directory=${localPath}`, '.'];
    const tar = spawn('/bin/tar', packing, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(tar, 'exit');
    await exec(['tar', '--extract', '--no-same-owner', `--directory=${path}`], {
      input: tar.stdout,
    });
    const [exitCode] = await ended;
    if (exitCode !== 0) {
      throw new HostError(`Cannot copy "${localPath}": tar exited with ${String(exitCode)}`);
    }
  }

  return { exec, write, copyIn, read: async (path) => (await exec(['cat', path])).stdout };
}

/** The process id of a host's systemd on this machine. */
export function leaderOf(host: HostRecord): number {
  const found = findLeader(host);
  if (found === null) throw new HostError(`Cannot enter host "${host.name}": it is off`);
  return found;
}
