import { existsSync, readFileSync } from 'node:fs';
import { inCgroups, makeSessionGroup } from './cgroups.ts';
import type { Argv } from './command.ts';
import { childrenOf, isAlive } from './processes.ts';
import type { HostRecord } from './records.ts';

/** As whom, and where on the host. */
export interface EnterOptions {
  readonly user?: string;
  readonly cwd?: string;
}

/** The first process (systemd) of a host, as this machine numbers it; `null` while the host is off. */
export function findLeader({ supervisor }: HostRecord): number | null {
  if (supervisor === null || !isAlive(supervisor)) return null;
  return childrenOf(supervisor.pid).find(isFirstProcess) ?? null;
}

/** Whether a host's systemd has come far enough to be asked how it is. */
export function isListening(leader: number): boolean {
  return existsSync(`/proc/${leader}/root/run/systemd/private`);
}

/** A program on this machine that runs the given one on a host: in all its namespaces and its cgroup. */
export function enter(host: HostRecord, leader: number, argv: Argv, options: EnterOptions): Argv {
  const { user = 'root', cwd = '/' } = options;
  const asUser: Argv = user === 'root' ? argv : ['runuser', '--user', user, '--', ...argv];
  const inDirectory: Argv = ['env', `--chdir=${cwd}`, '--', ...asUser];
  const inNamespaces: Argv = ['nsenter', '--all', `--target=${leader}`, '--', ...inDirectory];
  return inCgroups(makeSessionGroup(host.machine, leader), inNamespaces);
}

/** A process that is number 1 in its own process namespace. */
function isFirstProcess(pid: number): boolean {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return false;
  const numbers = /^NSpid:\s*(.*)$/m.exec(readFileSync(path, 'utf8'))?.[1]?.split(/\s+/) ?? [];
  return numbers.length > 1 && numbers.at(-1) === '1';
}
