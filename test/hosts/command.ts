import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { Readable } from 'node:stream';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { HostError } from './host-error.ts';

/** A program and its arguments. Never a line for a shell. */
export type Argv = readonly [program: string, ...args: string[]];

/** What a finished program left behind. `exitCode` is 128 + the signal's number if a signal ended it. */
export interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array | Readable;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Every exit code is an answer; otherwise anything but 0 throws. */
  readonly allowFailure?: boolean;
  /** What the program is called in errors; its own command line if absent. */
  readonly title?: string;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** Where this machine's own programs are. Not `PATH` as it comes: npm puts programs of packages, some with the same names, first. */
export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** How often to look for more output of a program that has exited: something it left behind may hold it open. */
const DRAIN_ROUNDS = 25;
const ROUND_MS = 20;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs a program on this machine. Throws HostError with its output unless it exits with 0. */
export async function run(argv: Argv, options: RunOptions = {}): Promise<Output> {
  const [program, ...args] = argv;
  const title = options.title ?? argv.join(' ');
  const env = { ...(options.env ?? process.env), PATH: SYSTEM_PATH };
  const child = spawn(program, args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const stdout = collect(child.stdout, options.onOutput);
  const stderr = collect(child.stderr, options.onOutput);
  const fed = feed(child, options.input ?? '');
  const timer = watchdog(child, options.timeoutMs);
  const exitCode = await exited(child, title).finally(() => clearTimeout(timer.handle));
  await drain(child);
  const output = { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  if (timer.expired()) throw failure(`${title}: stopped after ${options.timeoutMs} ms`, output);
  if (exitCode !== 0 && options.allowFailure !== true) {
    throw failure(`${title}: exit code ${exitCode}`, output);
  }
  await fed;
  return output;
}

/** As `run`, but waits in place: for tearing down while the process exits. Every exit code is an answer. */
export function runNow(argv: Argv): Output {
  const [program, ...args] = argv;
  const done = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: SYSTEM_PATH },
  });
  if (done.error !== undefined) {
    throw new HostError(`Cannot run "${argv.join(' ')}": ${done.error.message}`);
  }
  return { exitCode: done.status ?? 128, stdout: done.stdout, stderr: done.stderr };
}

/** As `runNow`, but throws HostError with the output unless the program exits with 0. */
export function mustRunNow(argv: Argv): string {
  const output = runNow(argv);
  if (output.exitCode === 0) return output.stdout;
  throw failure(`${argv.join(' ')}: exit code ${output.exitCode}`, output);
}

function failure(what: string, { stdout, stderr }: Output): HostError {
  const said = [tail(stdout), tail(stderr)].filter((text) => text !== '').join('\n');
  return new HostError(`Cannot run ${what}${said === '' ? '' : `\n${said}`}`);
}

function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-40).join('\n');
}

function collect(stream: Readable, onOutput?: (text: string) => void): { text: () => string } {
  const pieces: string[] = [];
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    pieces.push(piece);
    onOutput?.(piece);
  });
  return { text: () => pieces.join('') };
}

/** A program may exit without reading its input: a broken pipe is no failure, anything else is. */
async function feed(child: Child, input: string | Uint8Array | Readable): Promise<void> {
  const source = input instanceof Readable ? input : Readable.from([Buffer.from(input)]);
  try {
    await pipeline(source, child.stdin);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const isClosed = code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!isClosed) throw error;
  }
}

function watchdog(child: Child, timeoutMs?: number) {
  let hasExpired = false;
  function expire(): void {
    hasExpired = true;
    // `detached` made the child the leader of its process group, so its children go with it.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }
  const handle = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  return { handle, expired: () => hasExpired };
}

async function exited(child: Child, title: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      reject(new HostError(`Cannot run ${title}: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0));
    });
  });
}

/** Counts rounds, not time: when this process is held up itself, the output has to wait with it. */
async function drain(child: Child): Promise<void> {
  const closed = Promise.all([child.stdout, child.stderr].map(untilClosed)).then(() => true);
  for (let round = 0; round < DRAIN_ROUNDS; round += 1) {
    if (await Promise.race([closed, sleep(ROUND_MS, false)])) break;
  }
  child.stdout.destroy();
  child.stderr.destroy();
}

async function untilClosed(stream: Readable): Promise<void> {
  if (stream.closed) return;
  await new Promise((resolve) => {
    stream.once('close', resolve);
  });
}
