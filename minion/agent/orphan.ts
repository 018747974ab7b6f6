import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../shared/log.ts';
import { ageOf, birthOf } from '../host/process-birth.ts';
import { catches, signalTo } from '../host/processes.ts';
import { CANCEL } from './run-child.ts';
import type { Patience, RunEnd } from './run-child.ts';
import { endLeft } from './run-end.ts';

/** The child of an agent before us: it may still be at work, and spools its report itself. */
export interface Orphan {
  readonly pid: number;
  readonly bornAt: string;
  readonly timeoutSeconds: number;
  readonly cancel: AbortSignal;
  readonly log: Logger;
  readonly patience: Patience;
}

const POLL_MS = 500;

/** Resolves when it has ended and left nothing. One that does not end when it should is killed, like a child of our own. */
export async function endOfOrphan(orphan: Orphan): Promise<RunEnd> {
  const { pid, bornAt, timeoutSeconds, cancel, log, patience } = orphan;
  const mostMs = timeoutSeconds * 1000 + patience.overdueMs;
  let isOverdue = false;
  let killAt = Infinity;
  while (birthOf(pid) === bornAt) {
    isOverdue = (ageOf(pid) ?? 0) >= mostMs;
    if (cancel.aborted) killAt = Math.min(killAt, performance.now() + patience.cancelledMs);
    if (isOverdue || performance.now() >= killAt) signalTo(pid, 'SIGKILL');
    else if (cancel.aborted) signalTo(pid, catches(pid, CANCEL) ? CANCEL : 'SIGTERM');
    await sleep(POLL_MS);
  }
  await endLeft(pid, log);
  return { isOverdue };
}
