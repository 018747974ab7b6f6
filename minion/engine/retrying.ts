import type { Declaration } from '../../language/declaration.ts';
import type { Host } from '../host/host.ts';
import type { RunContext } from './context.ts';
import type { Result } from './outcome.ts';
import { loggable } from './redaction.ts';

/** Tries as often as the declaration's `retry` says, and waits in between; a dry run tries once. */
export async function retrying(
  { retry }: Declaration,
  { dryRun, signal, log, redaction }: RunContext,
  host: Host,
  attempt: (number: number) => Promise<Result>,
): Promise<Result> {
  const limit = dryRun || retry === null ? 1 : retry.attempts;
  for (let number = 1; ; number += 1) {
    try {
      return await attempt(number);
    } catch (error) {
      if (number >= limit || retry === null || signal.aborted) throw error;
      log.debug({ number, error: loggable(error, redaction) }, 'Attempt failed');
      const seconds = retry.intervalSeconds + Math.random() * retry.splaySeconds;
      await host.sleep(seconds * 1000);
    }
  }
}
