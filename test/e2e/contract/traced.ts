import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { STRACE } from '../trace/calls.ts';
import { TRACED, writesIn } from '../trace/writes.ts';
import { LABORATORY } from './places.ts';

const TRACE = `${LABORATORY}/dry-run-trace`;

/** What this process and all that it starts meanwhile write: the system calls, as strace shows them. */
export async function writesOf<T>(act: () => Promise<T>): Promise<[T, readonly string[]]> {
  const strace = spawn(
    'strace',
    [...STRACE, '-o', TRACE, `--trace=${TRACED}`, '-p', String(process.pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(strace, 'exit');
  await untilAttached(strace);
  try {
    const result = await act();
    return [result, await stopped()];
  } catch (error) {
    await stopped();
    throw error;
  }

  async function stopped(): Promise<readonly string[]> {
    strace.kill('SIGINT');
    await ended;
    return writesIn(readFileSync(TRACE, 'utf8'), [strace.pid ?? 0]);
  }
}

/** It goes on speaking, of every process that it follows. */
async function untilAttached(strace: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let said = '';
    strace.stderr.on('data', (piece) => {
      said = `${said}${String(piece)}`.slice(-1000);
      if (said.includes('attached')) resolve();
    });
    strace.once('error', reject);
    strace.once('exit', () => reject(new Error(`strace does not attach: ${said}`)));
  });
}
