import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Access } from './access.ts';
import { leaderOf } from './access.ts';
import { inCgroups, killGroup, makeGroup } from './cgroups.ts';
import { SYSTEM_PATH } from './command.ts';
import type { Argv } from './command.ts';
import { findLeader, isListening } from './enter.ts';
import { HostError } from './host-error.ts';
import { identify, isAlive } from './processes.ts';
import type { HostRecord } from './records.ts';

/** What is switched, and how the rest learns of it. */
export interface Socket {
  readonly record: () => HostRecord;
  readonly remember: (host: HostRecord) => void;
  readonly access: Access;
  readonly bridge: string;
}

/** The switch of one host. */
export interface Power {
  /** Starts it; done when its systemd says `running` (or `degraded`, where that is fine) and it has its address. */
  on(options: { readonly mayBeDegraded: boolean }): Promise<void>;
  /** Has it shut down in good order. */
  shutDown(): Promise<void>;
  /** Everything in it dies at once; also if it is off already. */
  kill(): Promise<void>;
}

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

export function openPower({ record, remember, access, bridge }: Socket): Power {
  let supervised: Promise<unknown> = Promise.resolve();

  async function on({ mayBeDegraded }: { mayBeDegraded: boolean }): Promise<void> {
    if (findLeader(record()) !== null)
      throw new HostError(`Cannot boot host "${record().name}": it is on`);
    const deadline = Date.now() + BOOT_MS;
    const child = startSupervisor(record(), bridge);
    supervised = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    await once(child, 'spawn');
    remember({ ...record(), supervisor: child.pid === undefined ? null : identify(child.pid) });
    await settle(deadline, mayBeDegraded);
    await access.exec(WAIT_ONLINE);
  }

  async function settle(deadline: number, mayBeDegraded: boolean): Promise<void> {
    for (;;) {
      const state = await systemState();
      if (state === 'running' || (state === 'degraded' && mayBeDegraded)) return;
      if (state === 'degraded') throw bootFailure('some of its units failed', await failedUnits());
      if (state === 'gone' || Date.now() > deadline)
        throw bootFailure(`it is ${state}`, consoleTail());
      await sleep(50);
    }
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

  return { on, shutDown, kill };
}

/** The program that holds a host together: systemd in namespaces of its own, on the host's tree. */
function startSupervisor(host: HostRecord, bridge: string): ChildProcess {
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
