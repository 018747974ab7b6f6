import { readFileSync } from 'node:fs';
import { fail } from './bench.ts';
import type { Bench } from './bench.ts';
import { filesSince, stamp } from './disk.ts';
import { LABORATORY } from './places.ts';
import { startRound } from './round.ts';

/** Clause (i): a secret appears nowhere but where it belongs. */

const TRACE = `${LABORATORY}/trace`;
const STRACE = ['strace', '-f', '-v', '-s', '100000', '-e', 'trace=execve', '--seccomp-bpf'];

export async function checkSecrets(bench: Bench): Promise<void> {
  const { secret, secret_files: allowed } = bench.named.case;
  await bench.again();
  const since = await stamp('secrets');
  const { outcomes, said } = startRound(bench.named, null, [...STRACE, '-o', TRACE]);
  const broken = outcomes.filter(({ status }) => status === 'failed');
  if (broken.length > 0) fail(`the run under strace failed: ${JSON.stringify(broken)}`);
  const trace = readFileSync(TRACE, 'utf8');
  if (!trace.includes('execve(')) fail('nothing was traced');
  const leaks = secret.flatMap((one) => [
    ...(said.includes(one)
      ? [`"${one}" stands in the report or the log: ${around(said, one)}`]
      : []),
    ...(trace.includes(one) ? [`"${one}" was given to a program: ${around(trace, one)}`] : []),
    ...filesSince(since, allowed)
      .filter((path) => holds(path, one))
      .map((path) => `"${one}" was written to ${path}`),
  ]);
  if (leaks.length > 0) fail(leaks.join('\n'));
}

function around(text: string, part: string): string {
  const at = text.indexOf(part);
  return text.slice(Math.max(0, at - 120), at + part.length + 40);
}

function holds(path: string, text: string): boolean {
  try {
    return readFileSync(path).includes(text);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
