import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Access } from './access.ts';
import { leaderOf } from './access.ts';
import { inCgroups, killGroup, makeGroup } from './cgroups.ts';
import { SYSTEM_PATH } from './command.ts';
import type { Argv } from './command.ts';
import { findLeader, isListening } from './enter.ts';
import { HostError } from './host-error.ts';
import { removeLink } from './network.ts';
import { identify, isAlive } from './processes.ts';
import type { HostRecord } from './records.ts';
import { linkName } from './teardown.ts';

/** What is switched, and how the rest learns of it. */
export interface Socket {
  readonly record: () => HostRecord;
  readonly remember: (host: HostRecord) => void;
  readonly access: Access;
  readonly bridge: string;
  /** Whether the fleet is still open. */
  readonly isWanted: () => boolean;
}

/** The switch of one host. */
export interface Power {
  /** Starts it; done when its systemd says `running` (or `degraded`, where that is fine) and it has its address. */
  on(options: { readonly mayBeDegraded: boolean }): Promise<void>;
  /** Has it shut down in good order. */
  shutDown(): Promise<void>;
  /** Has it restart in good order; done when it is up again. */
  reboot(): Promise<void>;
  /** Everything in it dies at once; also if it is off already. */
  kill(): Promise<void>;
}

/** What systemd-nspawn exits with when the system in it has asked for a reboot. */
const REBOOTS = 133;
const BOOT_MS = 90_000;
const STOP_MS = 60_000;
const WAIT_ONLINE: Argv = [
  '/lib/systemd/systemd-networkd-wait-online',
  '--interface=host0',
  '--ipv4',
  '--timeout=20',
  '--quiet',
];

export function rootOf({ directory }: HostRecord): string {
  return join(directory, 'root');
}

export function consoleOf({ directory }: HostRecord): string {
  return join(directory, 'console.log');
}

export function openPower({ record, remember, access, bridge, isWanted }: Socket): Power {
  let supervised: Promise<void> = Promise.resolve();

  async function on({ mayBeDegraded }: { mayBeDegraded: boolean }): Promise<void> {
    if (findLeader(record()) !== null) {
      throw new HostError(`Cannot boot host "${record().name}": it is on`);
    }
    supervised = new Promise<void>(launch);
    await settle(Date.now() + BOOT_MS, mayBeDegraded);
  }

  /** Starts it, again whenever it reboots by itself, and calls `hasEnded` once it is off for good. */
  function launch(hasEnded: () => void): void {
    const child = startSupervisor(record(), bridge);
    child.once('exit', (code) => {
      if (code === REBOOTS && isWanted()) launch(hasEnded);
      else hasEnded();
    });
    child.once('error', (error) => {
      appendFileSync(consoleOf(record()), `${error.message}\n`);
      hasEnded();
    });
    remember({ ...record(), supervisor: child.pid === undefined ? null : identify(child.pid) });
  }

  async function reboot(): Promise<void> {
    const before = leaderOf(record());
    const deadline = Date.now() + STOP_MS;
    await access.exec(['systemctl', 'reboot'], { allowFailure: true });
    while (isRebooting(before)) {
      if (Date.now() > deadline) throw bootFailure('it does not go down to reboot', consoleTail());
      await sleep(50);
    }
    await settle(Date.now() + BOOT_MS, true);
  }

  /** Whether the systemd of before still runs, or nothing does, between the one and the next. */
  function isRebooting(before: number): boolean {
    const now = findLeader(record());
    return now === null || now === before;
  }

  async function settle(deadline: number, mayBeDegraded: boolean): Promise<void> {
    for (;;) {
      const state = await systemState();
      if (state === 'running' || (state === 'degraded' && mayBeDegraded)) break;
      if (state === 'degraded') throw bootFailure('some of its units failed', await failedUnits());
      if (state === 'gone' || Date.now() > deadline)
        throw bootFailure(`it is ${state}`, consoleTail());
      await sleep(50);
    }
    await access.exec(WAIT_ONLINE);
  }

  /** What systemd calls the state of the whole system; `gone` if there is none any more. */
  async function systemState(): Promise<string> {
    const { supervisor } = record();
    if (supervisor === null || !isAlive(supervisor)) return 'gone';
    const leader = findLeader(record());
    if (leader === null || !isListening(leader)) return 'starting';
    const ask: Argv = ['systemctl', 'is-system-running', '--wait'];
    return (await access.exec(ask, { allowFailure: true, timeoutMs: BOOT_MS })).stdout.trim();
  }

  async function failedUnits(): Promise<string> {
    const ask: Argv = ['systemctl', '--failed', '--plain', '--no-legend'];
    return (await access.exec(ask, { allowFailure: true })).stdout;
  }

  function bootFailure(why: string, said: string): HostError {
    return new HostError(`Cannot boot host "${record().name}": ${why}\n${said}`);
  }

  function consoleTail(): string {
    const path = consoleOf(record());
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-30).join('\n') : '';
  }

  async function shutDown(): Promise<void> {
    leaderOf(record());
    const { supervisor, name } = record();
    // systemd-nspawn passes this on as the signal that has systemd halt.
    if (supervisor !== null) process.kill(supervisor.pid, 'SIGTERM');
    const late = new AbortController();
    const limit = sleep(STOP_MS, 'late', { signal: late.signal }).catch(() => 'called off');
    const outcome = await Promise.race([supervised, limit]);
    late.abort();
    await kill();
    if (outcome === 'late')
      throw new HostError(`Cannot stop host "${name}" within ${STOP_MS} ms: killed it`);
  }

  async function kill(): Promise<void> {
    killGroup(record().machine);
    await supervised;
    remember({ ...record(), supervisor: null });
  }

  return { on, shutDown, reboot, kill };
}

/** The program that holds a host together: systemd in namespaces of its own, on the host's tree. */
function startSupervisor(host: HostRecord, bridge: string): ChildProcess {
  // The kernel takes its time to forget the cable of a host whose power was cut.
  removeLink(linkName(host.machine));
  const output = openSync(consoleOf(host), 'a', 0o600);
  const [program, ...args] = inCgroups(makeGroup(host.machine), supervisorArgv(host, bridge));
  const stdio = ['ignore', output, output] as const;
  // In a session of its own: a Ctrl-C is meant for us, and we decide what becomes of the host.
  const child = spawn(program, args, {
    detached: true,
    env: { PATH: SYSTEM_PATH },
    cwd: '/',
    stdio: [...stdio],
  });
  closeSync(output);
  return child;
}

function supervisorArgv(host: HostRecord, bridge: string): Argv {
  return [
    'systemd-nspawn',
    '--quiet',
    '--boot',
    '--register=no',
    '--keep-unit',
    `--machine=${host.machine}`,
    `--hostname=${host.name}`,
    `--directory=${rootOf(host)}`,
    `--network-bridge=${bridge}`,
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=read-only',
  ];
}
