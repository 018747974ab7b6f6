import { endRunGroup } from '../host/run-group.ts';
import type { Logger } from '../../shared/log.ts';

/** Ends what a run that was killed has left. Never rejects: the next run ends what could not be ended here. */
export async function endLeft(pid: number, log: Logger): Promise<void> {
  try {
    await endRunGroup(pid);
  } catch (error) {
    log.error({ pid, error }, 'What a run has left could not be ended');
  }
}
