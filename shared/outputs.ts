import { systemCode } from './errors.ts';
import { EXIT } from './exit-codes.ts';

/** What is needed of a process. */
interface Process {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  once(event: 'exit', listener: (code: number) => void): unknown;
  exitCode?: number | string | null | undefined;
}

/** A reader that goes away, such as `head`, or a terminal that is closed: nobody misses the rest. */
const NOBODY_READS = ['EPIPE', 'EIO'];

/**
 * Whatever becomes of its outputs, as on a full disk, a command ends nothing in the middle because of them: that it
 * could not tell everything is told at its end, on the other output, and makes an exit code of 0 one of 1.
 */
export function outliveOutputs(process: Process): void {
  let problem: Error | null = null;
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error) => {
      if (!NOBODY_READS.includes(systemCode(error) ?? '')) problem ??= error;
    });
  process.once('exit', (code) => {
    if (problem === null) return;
    process.stderr.write(`error: Cannot write all of the output: ${problem.message}\n`);
    if (code === EXIT.ok) process.exitCode = EXIT.usage;
  });
}
