import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';
import { allProcesses, isGone } from './processes.ts';

/** The process that has a file or directory open and locked: the kernel tells it with each descriptor. */
export function lockerOf(path: string): number | null {
  if (!existsSync(path)) return null;
  const real = realpathSync(path);
  return allProcesses().find(({ pid }) => hasLocked(pid, real))?.pid ?? null;
}

function hasLocked(pid: number, path: string): boolean {
  const fds = whileThere(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  return fds.some((fd) => isLockOf(path, `/proc/${pid}`, fd));
}

/** A descriptor may be closed while others are looked at. */
function isLockOf(path: string, process: string, fd: string): boolean {
  if (whileThere(() => readlinkSync(`${process}/fd/${fd}`)) !== path) return false;
  const told = whileThere(() => readFileSync(`${process}/fdinfo/${fd}`, 'utf8'));
  return told?.includes('FLOCK') === true;
}

/** `null` if it has gone meanwhile, or is not ours to look into. */
function whileThere<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (isGone(error) || systemCode(error) === 'EACCES') return null;
    throw error;
  }
}
