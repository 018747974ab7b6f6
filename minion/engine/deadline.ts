import { ConductorError } from '../../shared/errors.ts';
import { following } from '../host/signals.ts';

export interface Deadline {
  /** What has the time, for the message: `"nginx config"`. */
  readonly what: string;
  readonly milliseconds: number;
  /** Ends the work early, whatever the time. */
  readonly signal: AbortSignal;
  /** How long work that was told to end may take to do so. */
  readonly patienceMs: number;
}

/** Work was told to end and did not: it is still going on, and nobody may rely on the host. */
export class Abandoned extends ConductorError {}

/**
 * Does work that must end in time. Its signal says when it must; work that then does not end
 * either is given up with `Abandoned`.
 */
export async function inTime<T>(
  { what, milliseconds, signal, patienceMs }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { controller, dispose } = following(signal);
  const timers = [
    setTimeout(() => {
      const message = `Cannot finish ${what}: it took longer than ${milliseconds / 1000} s`;
      controller.abort(new ConductorError('COMMAND_TIMEOUT', message));
    }, milliseconds),
  ];
  const ending = controller.signal;
  const abandoned = new Promise<never>((_resolve, reject) => {
    ending.addEventListener('abort', () => {
      const message = `Cannot end ${what}: it goes on though it was told to stop`;
      const give = () =>
        reject(new Abandoned('COMMAND_TIMEOUT', message, { cause: ending.reason }));
      timers.push(setTimeout(give, patienceMs));
    });
  });
  try {
    return await Promise.race([work(ending), abandoned]);
  } finally {
    for (const timer of timers) clearTimeout(timer);
    dispose();
  }
}
