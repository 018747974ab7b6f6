import { readFileSync } from 'node:fs';
import { processOf } from './processes.ts';

/** The kernel tells times in hundredths of a second, whatever its own clock does. */
const TICK_MS = 10;

/**
 * When a process was born, in the kernel's ticks since boot with the boot's id before them: with
 * its pid it names one process for ever. `null` if there is none, or it is a zombie.
 */
export function birthOf(pid: number): string | null {
  try {
    const born = processOf(pid);
    if (born === null) return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${born.bornAt}`;
  } catch {
    // Whatever keeps us from reading it, there is no process that we could wait for.
    return null;
  }
}

/** The same as a time; `null` if there is no such process. */
export function bornWhen(pid: number): Date | null {
  const born = processOf(pid);
  const booted = /^btime (\d+)$/mu.exec(readFileSync('/proc/stat', 'utf8'))?.[1];
  if (born === null || booted === undefined) return null;
  return new Date(Number(booted) * 1000 + Number(born.bornAt) * TICK_MS);
}

/**
 * For how many milliseconds a process has been there, whatever happens to the host's clock; `null` if it is not. Held
 * against our own birth, as what the kernel says of a container's start may be that of its host.
 */
export function ageOf(pid: number): number | null {
  const [born, own] = [processOf(pid), processOf(process.pid)];
  if (born === null || own === null) return null;
  return process.uptime() * 1000 + (Number(own.bornAt) - Number(born.bornAt)) * TICK_MS;
}
