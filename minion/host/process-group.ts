import { setTimeout as after } from 'node:timers/promises';
import { familyOf, processOf, signalTo } from './processes.ts';
import type { Process } from './processes.ts';

const POLL_MS = 50;

/**
 * Ends every process of a group, and those that its processes have started and that have left it for a
 * session of their own: TERM, and KILL to those that are still there when the grace is over. Returns when
 * none is left. Who had left and lost its parent before cannot be told from a stranger: it stays. Where
 * there is a cgroup for the run (`run-group.ts`), nobody can leave like that.
 */
export async function endProcessGroup(group: number, graceMs: number): Promise<void> {
  // While their parents still live: afterwards nothing says whose they were.
  const leavers = familyOf(group).filter((one) => one.group !== group);
  const signalAll = (signal: NodeJS.Signals | 0): boolean => {
    const ofGroup = signalTo(-group, signal);
    const ofLeavers = leavers.map(
      (leaver) => isStill(leaver) && signalTo(targetOf(leaver), signal),
    );
    return ofGroup || ofLeavers.includes(true);
  };
  if (!signalAll('SIGTERM')) return;
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline) {
    await after(POLL_MS);
    if (!signalAll(0)) return;
  }
  signalAll('SIGKILL');
}

/** With whom it leads, for it may have started more since. */
function targetOf({ pid, group }: Process): number {
  return pid === group ? -group : pid;
}

function isStill({ pid, bornAt }: Process): boolean {
  return processOf(pid)?.bornAt === bornAt;
}
