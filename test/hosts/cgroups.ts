import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Argv } from './command.ts';
import { HostError } from './host-error.ts';
import { pause, readIfThere } from './processes.ts';

/** A mounted hierarchy that systemd tracks its services in. */
interface Hierarchy {
  readonly mountPoint: string;
  readonly isUnified: boolean;
}

const KILL_MS = 10_000;

/**
 * Joins the cgroups named before `--`, then becomes the program after it. The script is constant; what varies are its
 * arguments. A program has to be in its cgroup before its first fork, and only it can put itself there in time.
 */
const JOIN =
  'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"';

/** The same program, started inside the given cgroup directories. */
export function inCgroups(directories: readonly string[], argv: Argv): Argv {
  return ['/bin/sh', '-c', JOIN, 'sh', ...directories, '--', ...argv];
}

/** Makes a group of that name in every hierarchy systemd uses (it would share the machine's root group otherwise). */
export function makeGroup(name: string): string[] {
  const directories = groupDirectories(name);
  if (directories.length === 0) {
    throw new HostError('Cannot make a cgroup: neither cgroup2 nor a systemd hierarchy is mounted');
  }
  for (const directory of directories) mkdirSync(directory, { recursive: true });
  return directories;
}

/** Where inside the group of that name a process that joins a booted system belongs: a group of its own beside its slices. */
export function makeSessionGroup(name: string, leader: number): string[] {
  const lines = readFileSync(`/proc/${leader}/cgroup`, 'utf8').trim().split('\n');
  const paths = lines.map((line) => line.split(':').slice(2).join(':'));
  const root = paths.find((path) => path === `/${name}` || path.startsWith(`/${name}/`));
  if (root === undefined)
    throw new HostError(`Cannot enter cgroup "${name}": not the group of ${leader}`);
  const session = join(root.replace(/\/init\.scope$/, ''), 'session');
  const directories = hierarchies()
    .map(({ mountPoint }) => join(mountPoint, session))
    .filter((directory) => existsSync(join(directory, '..')));
  for (const directory of directories) mkdirSync(directory, { recursive: true });
  return directories;
}

/** Stops every process of the group where it stands, or lets them go on. */
export function setFrozen(name: string, isFrozen: boolean): void {
  const unified = hierarchies().find((hierarchy) => hierarchy.isUnified);
  if (unified === undefined) throw new HostError(`Cannot freeze "${name}": no cgroup2 is mounted`);
  writeFileSync(join(unified.mountPoint, name, 'cgroup.freeze'), isFrozen ? '1' : '0');
}

/** Kills every process of the group, waits until the last is gone, and removes the group. */
export function removeGroup(name: string): void {
  killGroup(name);
  for (const directory of groupDirectories(name)) removeTree(directory);
}

/** Kills every process of the group and waits until the last is gone. */
export function killGroup(name: string): void {
  const deadline = Date.now() + KILL_MS;
  for (let pids = members(name); pids.length > 0; pids = members(name)) {
    for (const pid of pids) killIfThere(pid);
    if (Date.now() > deadline) {
      throw new HostError(`Cannot stop "${name}": processes ${pids.join(', ')} outlive SIGKILL`);
    }
    pause(20);
  }
}

function members(name: string): number[] {
  const pids = groupDirectories(name).filter(existsSync).flatMap(processesUnder);
  return [...new Set(pids)];
}

function processesUnder(directory: string): number[] {
  const own = (readIfThere(join(directory, 'cgroup.procs')) ?? '').split('\n').filter(Boolean);
  return [...own.map(Number), ...subgroups(directory).flatMap(processesUnder)];
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!isGone) throw error;
  }
}

function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const below of subgroups(directory)) removeTree(below);
  rmdirSync(directory);
}

function subgroups(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
}

function groupDirectories(name: string): string[] {
  return hierarchies().map(({ mountPoint }) => join(mountPoint, name));
}

function hierarchies(): Hierarchy[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const [, , , , mountPoint = ''] = mount.split(' ');
    const [type = '', , options = ''] = filesystem.split(' ');
    const isUnified = type === 'cgroup2';
    const isSystemd = type === 'cgroup' && options.split(',').includes('name=systemd');
    return isUnified || isSystemd ? [{ mountPoint, isUnified }] : [];
  });
}
