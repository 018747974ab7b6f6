import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { systemCode } from '../../shared/errors.ts';

/** A process; with when it was born it names one for ever, in the kernel's ticks since boot. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly bornAt: string;
}

/** All that there are just now. */
export function allProcesses(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name) => processOf(Number(name)) ?? []);
}

/** `null` if there is none, or only its exit code is left. */
export function processOf(pid: number): Process | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold anything; fields follow it.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const [state, parent, group] = fields;
    if (state === 'Z') return null;
    return { pid, parent: Number(parent), group: Number(group), bornAt: fields[19] ?? '' };
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** The processes of a group, and all that descend from them and are in other groups. */
export function familyOf(group: number): readonly Process[] {
  const all = allProcesses();
  const family = new Set(all.filter((one) => one.group === group));
  for (const { pid } of family) {
    for (const child of all) if (child.parent === pid) family.add(child);
  }
  return [...family];
}

/** Whether a process does something of its own about a signal: one of an older version would die of it. */
export function catches(pid: number, signal: NodeJS.Signals): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const [, caught = '0'] = /^SigCgt:\s*([0-9a-f]+)$/mu.exec(status) ?? [];
    return ((BigInt(`0x${caught}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Whether there was anybody to get it. */
export function signalTo(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** What the kernel says of a process that has ended meanwhile. */
export function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH'].includes(systemCode(error) ?? '');
}
