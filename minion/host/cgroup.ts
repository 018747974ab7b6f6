import {
  constants,
  accessSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { isGone, signalTo } from './processes.ts';

/** Where the groups of this process's children can be made, or why they cannot. */
export type OwnCgroup = { readonly directory: string } | { readonly why: string };

const POLL_MS = 20;
/** How long the kernel may take to end what it was told to kill. */
const KILLED_MS = 5_000;

/** The cgroup (version 2) of this process; in its directory groups can be made. */
export function ownCgroup(): OwnCgroup {
  try {
    const mounted = mountPoint(readFileSync('/proc/self/mountinfo', 'utf8'));
    const path = /^0::(.*)$/mu.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
    if (mounted === null || path === undefined) return { why: 'no cgroup2 is mounted' };
    const directory = join(mounted, path);
    accessSync(directory, constants.W_OK);
    return { directory };
  } catch (error) {
    return { why: messageOf(error) };
  }
}

/** Where the hierarchy of version 2 is: alone, or beside those of version 1. */
function mountPoint(mounts: string): string | null {
  for (const mount of mounts.trim().split('\n')) {
    const [before = '', filesystem = ''] = mount.split(' - ');
    if (filesystem.startsWith('cgroup2 ')) return before.split(' ')[4] ?? null;
  }
  return null;
}

/** The processes in a group itself; none if there is no such group. */
export function membersOf(directory: string): readonly number[] {
  const list = readIfThere(join(directory, 'cgroup.procs')) ?? '';
  // Those that this process cannot see are all called 0.
  return list
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

/** The same with those in the groups below it. */
function allMembersOf(directory: string): readonly number[] {
  return [directory, ...below(directory)].flatMap(membersOf);
}

/** Puts a process into a group; one that has ended meanwhile is none to be put anywhere. */
export function moveTo(directory: string, pid: number): void {
  try {
    writeFileSync(join(directory, 'cgroup.procs'), String(pid));
  } catch (error) {
    if (!isGone(error) || !existsSync(directory)) throw error;
  }
}

/** Makes a group, or finds it there. */
export function makeGroup(directory: string): void {
  mkdirSync(directory, { recursive: true });
}

/**
 * Ends all that is in a group and below it, whatever it forks meanwhile: TERM, and KILL to what is still there
 * when the grace is over. Then removes it. `gather` may bring more in until then. A group that is not there is fine.
 */
export async function endGroup(
  directory: string,
  graceMs: number,
  gather: () => void = () => undefined,
): Promise<void> {
  const told = new Set<number>();
  const deadline = performance.now() + graceMs;
  for (;;) {
    gather();
    const members = allMembersOf(directory);
    if (members.length === 0) break;
    for (const pid of members) if (!told.has(pid)) signalTo(pid, 'SIGTERM');
    for (const pid of members) told.add(pid);
    if (performance.now() >= deadline) break;
    await after(POLL_MS);
  }
  const patience = performance.now() + KILLED_MS;
  while (allMembersOf(directory).length > 0 && performance.now() < patience) {
    kill(directory);
    await after(POLL_MS);
    gather();
  }
  removeGroup(directory);
}

/** All at once where the kernel can (5.14), so that none escapes by forking. */
function kill(directory: string): void {
  try {
    writeFileSync(join(directory, 'cgroup.kill'), '1');
  } catch (error) {
    if (!['ENOENT', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error;
    for (const pid of allMembersOf(directory)) signalTo(pid, 'SIGKILL');
  }
}

/** What the kernel cannot end yet keeps its group. */
function removeGroup(directory: string): void {
  for (const group of [directory, ...below(directory)].toReversed()) {
    try {
      rmdirSync(group);
    } catch (error) {
      if (!isGone(error) && systemCode(error) !== 'EBUSY') throw error;
    }
  }
}

/** The groups below one, each before those below it. */
function below(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [join(directory, name), ...below(join(directory, name))]);
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // A group that is being removed says the latter.
    if (isGone(error) || systemCode(error) === 'ENODEV') return null;
    throw error;
  }
}
