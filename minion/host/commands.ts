import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { setTimeout as after } from 'node:timers/promises';
import { ConductorError, systemCode } from '../../shared/errors.ts';
import type { Redact } from '../../shared/secret.ts';
import type { Argv, Output } from './host.ts';
import { createCapture } from './output.ts';
import { endOf } from '../../shared/excerpt.ts';
import type { Capture } from './output.ts';
import { endProcessGroup } from './process-group.ts';
import type { RunGroup } from './run-group.ts';

/** Everything about a process but what it does; see `CommandOptions` for those who ask for one. */
export interface ProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly input: string | Uint8Array | null;
  readonly timeoutMs: number;
  /** Between TERM and KILL. */
  readonly graceMs: number;
  /** Ends it early; its reason is what is thrown. */
  readonly signal: AbortSignal;
  /** Blanks secrets in what is kept of the output of one that ran too long. */
  readonly redact?: Redact;
  /** Knows what belongs to the command even if that hides; process groups and parents have to do without it. */
  readonly group?: RunGroup | undefined;
}

/** Of a program that is not there, as shells say it. */
const NOT_FOUND = 127;

/** How often to look for more output of a process that has ended, and how often in vain. */
const DRAIN_ROUNDS = 100;
const SILENT_ROUNDS = 5;
const ROUND_MS = 20;

/**
 * Runs a program in a process group of its own and waits for it to exit, not for those to whom
 * it left its output. Every exit code is an answer. Throws COMMAND_TIMEOUT when it takes too long
 * and the signal's reason when that says so; nothing of the group is left then. A command that ends
 * by itself may leave what it likes: that is how daemons are started.
 */
export async function runProcess(argv: Argv, options: ProcessOptions): Promise<Output> {
  options.signal.throwIfAborted();
  options.group?.begin();
  try {
    return await outputOf(argv, options);
  } finally {
    options.group?.end();
  }
}

async function outputOf(argv: Argv, options: ProcessOptions): Promise<Output> {
  const child = start(argv, options);
  const stdout = createCapture();
  const stderr = createCapture();
  child.stdout?.on('data', (piece: Uint8Array) => stdout.add(piece));
  child.stderr?.on('data', (piece: Uint8Array) => stderr.add(piece));
  feed(child, options.input);

  const ended = exitOf(child, argv, options.cwd);
  const stop = stopper(child, options);
  try {
    const exitCode = await ended;
    if (!stop.hasBegun()) {
      await drained(child);
      return output(exitCode, stdout, stderr);
    }
    await stop.done();
  } finally {
    stop.dispose();
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
  const { redact = (said) => said } = options;
  throw stopReason(argv, options, endOf(redact(`${text(stdout)}\n${text(stderr)}`)));
}

function start([program, ...args]: Argv, { env, cwd, input }: ProcessOptions): ChildProcess {
  try {
    return spawn(program, args, {
      env,
      cwd,
      detached: true,
      stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    // Some of what is wrong Node tells by an event, and some at once.
    throw error instanceof Error ? cannotStart(program, cwd, error) : error;
  }
}

/** A program need not read what it is given: that it hung up is no failure. */
function feed({ stdin }: ChildProcess, input: string | Uint8Array | null): void {
  if (stdin === null || input === null) return;
  stdin.on('error', (error) => {
    if (!['EPIPE', 'ECONNRESET'].includes(systemCode(error) ?? '')) stdin.destroy(error);
  });
  stdin.end(input);
}

async function exitOf(child: ChildProcess, [program]: Argv, cwd: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
    child.once('error', (error) => {
      if (systemCode(error) === 'ENOENT' && existsSync(cwd)) resolve(NOT_FOUND);
      else reject(cannotStart(program, cwd, error));
    });
  });
}

const CANNOT_START: Readonly<Record<string, string>> = {
  E2BIG: 'its arguments are too long',
  ENOTDIR: 'its directory, or one on the way to it, is none',
  ELOOP: 'there are too many symbolic links on the way to it or to its directory',
  ERR_INVALID_ARG_VALUE: 'one of its arguments holds a NUL',
};

function cannotStart(program: string, cwd: string, cause: Error): ConductorError {
  const state = existsSync(cwd)
    ? (CANNOT_START[systemCode(cause) ?? ''] ?? cause.message)
    : `its directory "${cwd}" does not exist`;
  return new ConductorError('COMMAND_FAILED', `Cannot run "${program}": ${state}`, { cause });
}

/** Ends the command, with all that it has started, when it is time or when the signal says so. */
function stopper(child: ChildProcess, { timeoutMs, graceMs, signal, group }: ProcessOptions) {
  const endings: Promise<void>[] = [];
  const stop = (): void => {
    const { pid } = child;
    if (endings.length > 0 || pid === undefined) return;
    endings.push(group?.stop(pid, graceMs) ?? endProcessGroup(pid, graceMs));
  };
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener('abort', stop);
  return {
    hasBegun: () => endings.length > 0,
    done: () => Promise.all(endings),
    dispose() {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}

/**
 * What a process wrote before it ended is still on its way; what others write is not waited for.
 * Counts rounds, not time: when we are held up ourselves, the output has to wait with us.
 */
async function drained(child: ChildProcess): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  let silentRounds = 0;
  for (const stream of streams) stream.on('data', () => void (silentRounds = 0));
  const closed = Promise.all(streams.map(untilClosed)).then(() => true);
  for (let round = 0; round < DRAIN_ROUNDS && silentRounds < SILENT_ROUNDS; round += 1) {
    if (await Promise.race([closed, after(ROUND_MS, false)])) return;
    silentRounds += 1;
  }
}

async function untilClosed(stream: Readable): Promise<void> {
  if (stream.closed) return;
  await new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
  });
}

function stopReason([program]: Argv, options: ProcessOptions, tail: string): Error {
  const { signal, timeoutMs } = options;
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason : new Error('aborted');
  const seconds = timeoutMs / 1000;
  const message = `Cannot finish "${program}": it ran longer than ${seconds} s`;
  return new ConductorError('COMMAND_TIMEOUT', message, { output: tail, seconds });
}

function output(exitCode: number, stdout: Capture, stderr: Capture): Output {
  const raw = stdout.bytes();
  return { exitCode, stdout: Buffer.from(raw).toString(), stderr: text(stderr), raw };
}

function text(capture: Capture): string {
  return Buffer.from(capture.bytes()).toString();
}
