import { createInterface } from 'node:readline/promises';
import { ConductorError } from '../../shared/errors.ts';
import { harmless } from '../../shared/log.ts';
import { outliveOutputs } from '../../shared/outputs.ts';
import { wantsColor } from '../../shared/render-run.ts';

/**
 * The terminal, or what stands in its place: all that commands know of the world they print to. Whoever a text comes
 * from, all that acts of it is its colours.
 */
export interface Terminal {
  /** Results. */
  out(line: string): void;
  /** Everything that is no result. */
  err(line: string): void;
  /** Lines that the next ones overwrite; nothing at all unless a person looks on. */
  transient(lines: string): void;
  readonly isTerminal: boolean;
  readonly color: boolean;
  /** Whether somebody is there to answer. */
  readonly canAsk: boolean;
  ask(question: string): Promise<string>;
  /** All of standard input. */
  input(): Promise<string>;
  /** Ctrl-C, which ends nothing by itself from now on. */
  interrupts(): Interrupts;
  readonly environment: NodeJS.ProcessEnv;
  readonly now: () => Date;
}

export interface Interrupts {
  /** Resolves with the next one. */
  next(): Promise<void>;
  stop(): void;
}

const CLEAR = '\r\u001b[2K';
const UP = '\u001b[1A\u001b[2K';

export function realTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process;
  outliveOutputs(process);
  let shown = 0;
  const clean = () => {
    if (shown > 0) stdout.write(CLEAR + UP.repeat(shown - 1));
    shown = 0;
  };
  return {
    out(line) {
      clean();
      stdout.write(`${harmless(line)}\n`);
    },
    err(line) {
      clean();
      stderr.write(`${harmless(line)}\n`);
    },
    transient(text) {
      if (!stdout.isTTY) return;
      clean();
      if (text === '') return;
      // What the terminal would wrap or scroll away could not be overwritten.
      const width = Math.max(stdout.columns - 1, 20);
      const lines = text.split('\n').slice(0, Math.max(stdout.rows - 1, 1));
      stdout.write(lines.map((line) => harmless(line).slice(0, width)).join('\n'));
      shown = lines.length;
    },
    isTerminal: stdout.isTTY,
    color: wantsColor(stdout, env),
    canAsk: stdin.isTTY && stdout.isTTY,
    ask,
    input,
    interrupts,
    environment: env,
    now: () => new Date(),
  };
}

function interrupts(): Interrupts {
  const waiting: { wake: (() => void) | null } = { wake: null };
  const interrupted = () => waiting.wake?.();
  process.on('SIGINT', interrupted);
  return {
    next: () =>
      new Promise((resolve) => {
        waiting.wake = resolve;
      }),
    stop: () => void process.off('SIGINT', interrupted),
  };
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await lines.question(`${harmless(question)} `)).trim();
  } catch (cause) {
    if (!(cause instanceof Error) || cause.name !== 'AbortError') throw cause;
    process.stdout.write('\n');
    throw new ConductorError('CANCELLED', 'Nothing was done: no answer was given', { cause });
  } finally {
    lines.close();
  }
}

async function input(): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) if (Buffer.isBuffer(part)) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
