import { readFileSync } from 'node:fs';

/**
 * When a process was born, in the kernel's ticks since boot with the boot's id before them: with
 * its pid it names one process for ever. `null` if there is none, or it is a zombie.
 */
export function birthOf(pid: number): string | null {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in parentheses and may hold anything; fields follow it.
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    const [state = 'Z', bornAt] = [fields[0], fields[19]];
    if (state === 'Z' || bornAt === undefined) return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${bornAt}`;
  } catch {
    // Whatever keeps us from reading it, there is no process that we could wait for.
    return null;
  }
}
