import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, createReadStream, existsSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { inCgroups, killGroup, makeGroup, setFrozen } from './cgroups.ts';
import { run, SYSTEM_PATH } from './command.ts';
import type { Argv, Output } from './command.ts';
import { enter, findLeader, isListening } from './enter.ts';
import { HostError } from './host-error.ts';
import { connectLink } from './network.ts';
import { identify, isAlive } from './processes.ts';
import type { HostRecord } from './records.ts';
import { linkName } from './teardown.ts';

export interface ExecOptions {
  readonly input?: string | Uint8Array | Readable;
  /** `root` if absent. */
  readonly user?: string;
  /** Added to what every process on the host has. */
  readonly env?: Readonly<Record<string, string>>;
  /** `/` if absent. */
  readonly cwd?: string;
  /** Kills the program (and what it has started) after so long; two minutes if absent. */
  readonly timeoutMs?: number;
  /** Every exit code is an answer; otherwise anything but 0 throws HostError with the output. */
  readonly allowFailure?: boolean;
}

/** One throw-away Debian system with its own init, processes, users, services, files, ports and address. */
export interface Host {
  readonly name: string;
  readonly address: string;
  /** Its root directory, from outside: to look at, not to write to. */
  readonly root: string;
  /** Where what it prints while booting goes. */
  readonly console: string;
  /** The process id of its systemd on this machine. Throws while the host is off. */
  readonly leader: number;
  readonly isOn: boolean;
  /** Runs a program on it. */
  exec(argv: Argv, options?: ExecOptions): Promise<Output>;
  /** Replaces a file, with the directories above it; owned by root, mode 0644 if none is given. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  /** The text of a file; throws if there is none. */
  read(path: string): Promise<string>;
  /** Copies a file (with its mode) or the content of a directory from this machine to `path`; owned by root. */
  copyIn(localPath: string, path: string): Promise<void>;
  /** Has it shut down in good order. */
  stop(): Promise<void>;
  /** Pulls the plug: everything in it dies at once, its disk stays as it was. */
  powerOff(): Promise<void>;
  /** Starts it after `stop` or `powerOff`, with the same disk and address; also if some service then fails. */
  bootAgain(): Promise<void>;
  /** Cuts it off: packets vanish both ways, nobody is told. Its address and connections stay. */
  cut(): Promise<void>;
  /** Undoes `cut`. */
  mend(): Promise<void>;
  /** Stops every process in it where it stands. */
  freeze(): Promise<void>;
  /** Undoes `freeze`. */
  thaw(): Promise<void>;
  /** Kills it and removes all of it. */
  destroy(): Promise<void>;
}

/** What a host needs of its fleet. */
export interface HostSetting {
  readonly bridge: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** The names and addresses of the whole fleet, as `/etc/hosts` holds them. */
  readonly namesFile: () => string;
  /** Called when the record of this host has changed, before anything is done with it. */
  readonly remember: (host: HostRecord) => void;
  readonly remove: (host: HostRecord) => Promise<void>;
}

const EXEC_MS = 120_000;
const BOOT_MS = 90_000;
const STOP_MS = 60_000;
/** Replaces the file $1 by what comes in, with mode $2, in one step. Constant: what varies are its arguments. */
const REPLACE =
  'mkdir -p -- "$(dirname -- "$1")" && cat >"$1.new" && chmod "$2" "$1.new" && mv -fT -- "$1.new" "$1"';
const WAIT_ONLINE: Argv = [
  '/lib/systemd/systemd-networkd-wait-online',
  '--interface=host0',
  '--ipv4',
  '--timeout=20',
  '--quiet',
];

/** A host whose tree is laid out and mounted, still off: `bootAgain` starts it. */
export function openHost(first: HostRecord, setting: HostSetting): Host {
  let record = first;
  let supervised: Promise<unknown> = Promise.resolve();
  const root = join(record.directory, 'root');
  const consolePath = join(record.directory, 'console.log');

  function leader(): number {
    const found = findLeader(record);
    if (found === null) throw new HostError(`Cannot enter host "${record.name}": it is off`);
    return found;
  }

  function remember(changed: HostRecord): void {
    record = changed;
    setting.remember(record);
  }

  async function exec(argv: Argv, options: ExecOptions = {}): Promise<Output> {
    const {
      user = 'root',
      env = {},
      cwd,
      input,
      timeoutMs = EXEC_MS,
      allowFailure = false,
    } = options;
    const home = user === 'root' ? '/root' : await homeOf(user);
    const own = { PATH: SYSTEM_PATH, HOME: home, USER: user, LOGNAME: user, LANG: 'C.UTF-8' };
    const entering = enter(record, leader(), argv, { user, ...(cwd === undefined ? {} : { cwd }) });
    return run(entering, {
      env: { ...own, ...setting.environment, ...env },
      title: `${argv.join(' ')} on host "${record.name}"`,
      timeoutMs,
      allowFailure,
      ...(input === undefined ? {} : { input }),
    });
  }

  async function homeOf(user: string): Promise<string> {
    const { stdout } = await exec(['getent', 'passwd', user]);
    return stdout.trimEnd().split(':')[5] ?? '/';
  }

  async function write(path: string, content: string | Uint8Array | Readable, mode = 0o644) {
    const octal = mode.toString(8).padStart(4, '0');
    await exec(['/bin/sh', '-c', REPLACE, 'sh', path, octal], { input: content });
  }

  async function copyIn(localPath: string, path: string): Promise<void> {
    const about = statSync(localPath);
    if (!about.isDirectory()) return write(path, createReadStream(localPath), about.mode & 0o7777);
    await exec(['mkdir', '--parents', path]);
    const tar = spawn('/bin/tar', ['--create', `--directory=${localPath}`, '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(tar, 'exit');
    await exec(['tar', '--extract', '--no-same-owner', `--directory=${path}`], {
      input: tar.stdout,
    });
    const [exitCode] = await ended;
    if (exitCode !== 0)
      throw new HostError(`Cannot copy "${localPath}": tar exited with ${String(exitCode)}`);
  }

  async function start({ mayBeDegraded }: { mayBeDegraded: boolean }): Promise<void> {
    if (findLeader(record) !== null)
      throw new HostError(`Cannot boot host "${record.name}": it is on`);
    const started = Date.now();
    const output = openSync(consolePath, 'a', 0o600);
    const argv = inCgroups(makeGroup(record.machine), supervisorArgv(record, root, setting.bridge));
    const [program, ...args] = argv;
    const child = spawn(program, args, {
      detached: true,
      env: { PATH: SYSTEM_PATH },
      stdio: ['ignore', output, output],
      cwd: '/',
    });
    supervised = once(child, 'exit');
    closeSync(output);
    await once(child, 'spawn');
    remember({ ...record, supervisor: child.pid === undefined ? null : identify(child.pid) });
    await settle(started + BOOT_MS, mayBeDegraded);
    await write('/etc/hosts', setting.namesFile());
    setting.log(
      `host "${record.name}" is up at ${record.address} after ${((Date.now() - started) / 1000).toFixed(1)} s`,
    );
  }

  async function settle(deadline: number, mayBeDegraded: boolean): Promise<void> {
    for (;;) {
      const state = await systemState();
      if (state === 'running' || (state === 'degraded' && mayBeDegraded)) break;
      if (state === 'degraded') throw new HostError(await troubles());
      if (state === 'gone' || Date.now() > deadline) {
        throw new HostError(`Cannot boot host "${record.name}": it is ${state}\n${consoleTail()}`);
      }
      await sleep(50);
    }
    await exec(WAIT_ONLINE);
  }

  /** What systemd calls the state of the whole system; `gone` if there is none any more. */
  async function systemState(): Promise<string> {
    if (record.supervisor === null || !isAlive(record.supervisor)) return 'gone';
    const pid = findLeader(record);
    if (pid === null || !isListening(pid)) return 'starting';
    const ask: Argv = ['systemctl', 'is-system-running', '--wait'];
    return (await exec(ask, { allowFailure: true, timeoutMs: BOOT_MS })).stdout.trim();
  }

  async function troubles(): Promise<string> {
    const { stdout } = await exec(['systemctl', '--failed', '--plain', '--no-legend'], {
      allowFailure: true,
    });
    return `Cannot boot host "${record.name}": some of its units failed\n${stdout}`;
  }

  function consoleTail(): string {
    if (!existsSync(consolePath)) return '';
    return readFileSync(consolePath, 'utf8').split('\n').slice(-30).join('\n');
  }

  /** Waits until systemd-nspawn has let go of the host; kills it all if it does not within the limit. */
  async function ended(limitMs: number): Promise<void> {
    const late = new AbortController();
    const limit = sleep(limitMs, 'late', { signal: late.signal }).catch(() => 'over');
    const outcome = await Promise.race([supervised, limit]);
    late.abort();
    killGroup(record.machine);
    await supervised;
    remember({ ...record, supervisor: null });
    if (outcome === 'late')
      throw new HostError(`Cannot stop host "${record.name}" within ${limitMs} ms: killed it`);
  }

  const host: Host = {
    name: record.name,
    address: record.address,
    root,
    console: consolePath,
    get leader() {
      return leader();
    },
    get isOn() {
      return findLeader(record) !== null;
    },
    exec,
    write,
    read: async (path) => (await exec(['cat', path])).stdout,
    copyIn,
    async stop() {
      leader();
      // systemd-nspawn passes this on as the signal that has systemd halt.
      if (record.supervisor !== null) process.kill(record.supervisor.pid, 'SIGTERM');
      await ended(STOP_MS);
    },
    async powerOff() {
      process.kill(leader(), 'SIGKILL');
      await ended(5000);
    },
    bootAgain: async () => start({ mayBeDegraded: existsSync(consolePath) }),
    async cut() {
      connectLink(linkName(record.machine), null);
    },
    async mend() {
      connectLink(linkName(record.machine), setting.bridge);
    },
    async freeze() {
      setFrozen(record.machine, true);
    },
    async thaw() {
      setFrozen(record.machine, false);
    },
    async destroy() {
      killGroup(record.machine);
      await supervised;
      await setting.remove(record);
    },
  };
  return host;
}

function supervisorArgv({ machine, name }: HostRecord, root: string, bridge: string): Argv {
  return [
    'systemd-nspawn',
    '--quiet',
    '--boot',
    '--register=no',
    '--keep-unit',
    `--machine=${machine}`,
    `--hostname=${name}`,
    `--directory=${root}`,
    `--network-bridge=${bridge}`,
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=read-only',
  ];
}
