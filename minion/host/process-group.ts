import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { systemCode } from '../../shared/errors.ts';

const POLL_MS = 50;

/**
 * Ends every process of a group, and those that its processes have started and that have left it for a
 * session of their own: TERM, and KILL to those that are still there when the grace is over. Returns when
 * none is left. Who had left and lost its parent before cannot be told from a stranger: it stays.
 */
export async function endProcessGroup(group: number, graceMs: number): Promise<void> {
  // While their parents still live: afterwards nothing says whose they were.
  const leavers = leaversOf(group);
  const signalAll = (signal: NodeJS.Signals | 0): boolean => {
    const ofGroup = signalTo(-group, signal);
    const ofLeavers = leavers.map(
      (leaver) => isStill(leaver) && signalTo(targetOf(leaver), signal),
    );
    return ofGroup || ofLeavers.includes(true);
  };
  if (!signalAll('SIGTERM')) return;
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline) {
    await after(POLL_MS);
    if (!signalAll(0)) return;
  }
  signalAll('SIGKILL');
}

/** A process; with when it was born it names one for ever, in the kernel's ticks since boot. */
interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly bornAt: string;
}

/** The descendants of a group's processes that are in other groups. */
function leaversOf(group: number): readonly Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
  const family = new Set(all.filter((one) => one.group === group));
  for (const { pid } of family) {
    for (const child of all) if (child.parent === pid) family.add(child);
  }
  return [...family].filter((one) => one.group !== group);
}

/** `null` if there is none, or only its exit code is left. */
function processOf(pid: number): Process | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold anything; fields follow it.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const [state, parent, group] = fields;
    if (state === 'Z') return null;
    return { pid, parent: Number(parent), group: Number(group), bornAt: fields[19] ?? '' };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '')) return null;
    throw error;
  }
}

/** With whom it leads, for it may have started more since. */
function targetOf({ pid, group }: Process): number {
  return pid === group ? -group : pid;
}

function isStill({ pid, bornAt }: Process): boolean {
  return processOf(pid)?.bornAt === bornAt;
}

/** Whether there was anybody to get it. */
function signalTo(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
    throw error;
  }
}
