import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Holder } from '../../protocol/report.ts';
import type { RunOptions } from '../../protocol/run-request.ts';
import type { Logger } from '../../shared/log.ts';
import { runningSchema } from '../agent-files.ts';
import type { Running } from '../agent-files.ts';
import { endGroup } from '../host/cgroup.ts';
import { readStored, writeDurably } from '../host/durable-file.ts';
import { lockerOf } from '../host/locker.ts';
import { birthOf, bornWhen } from '../host/process-birth.ts';

/** Between TERM and KILL, for what a killed run has left. */
const GRACE_MS = 10_000;

/** Says which run is under way: to those who wait or ask, and to the next one if this is killed. */
export function noteRunning(
  stateDirectory: string,
  { job, cause }: RunOptions,
  group: string | null,
): void {
  const { pid } = process;
  const holder: Holder = { pid, since: new Date().toISOString(), job, cause };
  const running: Running = { holder, bornAt: birthOf(pid) ?? '', group };
  writeDurably(pathIn(stateDirectory), JSON.stringify(running));
}

export function forgetRunning(stateDirectory: string): void {
  rmSync(pathIn(stateDirectory), { force: true });
}

/** Which run is under way; `null` if none is, or nobody can tell. */
export function holderOf(stateDirectory: string): Holder | null {
  const running = readRunning(stateDirectory);
  if (running !== null && birthOf(running.holder.pid) === running.bornAt) return running.holder;
  const pid = lockerOf(stateDirectory);
  const since = pid === null ? null : bornWhen(pid);
  if (pid === null || since === null) return null;
  return { pid, since: since.toISOString(), job: null, cause: null };
}

/** Ends what a run that was killed has left; to be called under the lock, when there can be no other. */
export async function endKilledRun(stateDirectory: string, log: Logger): Promise<void> {
  const running = readRunning(stateDirectory);
  if (running === null) return;
  const { holder, group } = running;
  log.warn({ job: holder.job, pid: holder.pid }, 'Run before was killed');
  if (group !== null) await endGroup(group, GRACE_MS);
  forgetRunning(stateDirectory);
}

/** One that cannot be read tells nothing, and will be written anew. */
function readRunning(stateDirectory: string): Running | null {
  const stored = readStored(pathIn(stateDirectory), runningSchema);
  return stored.status === 'ok' ? stored.value : null;
}

function pathIn(stateDirectory: string): string {
  return join(stateDirectory, 'run.json');
}
