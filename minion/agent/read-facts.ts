import { execFile } from 'node:child_process';
import { factsSchema } from '../../protocol/messages.ts';
import type { WireFacts } from '../../protocol/messages.ts';
import { ConductorError } from '../../shared/errors.ts';

const TIMEOUT_MS = 30_000;
const OUTPUT_MAXIMUM = 1024 * 1024;

/** Reads the facts in a process of their own, so that what they take to read is not kept. */
export function readFactsApart(program: string): Promise<WireFacts> {
  const options = { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_MAXIMUM };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, 'facts', '--json'], options, (cause, stdout) => {
      if (cause === null) resolve(parseFacts(stdout));
      else reject(new ConductorError('COMMAND_FAILED', 'Cannot read the facts', { cause }));
    });
  });
}

function parseFacts(text: string): WireFacts {
  return factsSchema.parse(JSON.parse(text));
}
