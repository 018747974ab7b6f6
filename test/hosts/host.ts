import { existsSync } from 'node:fs';
import { leaderOf, openAccess } from './access.ts';
import type { Access } from './access.ts';
import { setFrozen } from './cgroups.ts';
import { findLeader } from './enter.ts';
import { connectLink } from './network.ts';
import { consoleOf, openPower, rootOf } from './power.ts';
import type { HostRecord } from './records.ts';
import { linkName } from './teardown.ts';

/** One throw-away Debian system with its own init, processes, users, services, files, ports and address. */
export interface Host extends Access {
  readonly name: string;
  readonly address: string;
  /** Its root directory, from outside: to look at, not to write to. */
  readonly root: string;
  /** The file that what it prints while booting goes to. */
  readonly console: string;
  /** The process id of its systemd on this machine. Throws while the host is off. */
  readonly leader: number;
  readonly isOn: boolean;
  /** Has it shut down in good order. */
  stop(): Promise<void>;
  /** Has it restart in good order, and waits until it is up; it may also do so by itself. */
  reboot(): Promise<void>;
  /** Pulls the plug: everything in it dies at once, its disk stays as it was. */
  powerOff(): Promise<void>;
  /** Starts it after `stop` or `powerOff`, with the same disk and address; also if some service then fails. */
  bootAgain(): Promise<void>;
  /** Cuts it off: packets vanish both ways, nobody is told. Its address and connections stay. */
  cut(): Promise<void>;
  /** Undoes `cut`. */
  mend(): Promise<void>;
  /** Stops every process in it where it stands; until `thaw`, whatever is run in it stands still as well. */
  freeze(): Promise<void>;
  /** Undoes `freeze`. */
  thaw(): Promise<void>;
  /** Kills it and removes all of it. */
  destroy(): Promise<void>;
}

/** What a host needs of its fleet. */
export interface HostSetting {
  readonly bridge: string;
  /** What every program on the host gets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
  /** The names and addresses of the whole fleet, as `/etc/hosts` holds them. */
  readonly namesFile: () => string;
  /** Whether the fleet is still open. */
  readonly isWanted: () => boolean;
  /** Called when the record of this host has changed. */
  readonly remember: (host: HostRecord) => void;
  /** Takes the host, dead by then, out of the fleet. */
  readonly remove: (host: HostRecord) => Promise<void>;
}

/** A host whose tree is laid out and mounted, still off: `bootAgain` starts it. */
export function openHost(first: HostRecord, setting: HostSetting): Host {
  let record = first;
  function remember(changed: HostRecord): void {
    record = changed;
    setting.remember(record);
  }
  const { machine } = record;
  const { bridge, environment, log, isWanted } = setting;
  const access = openAccess(() => record, environment);
  const power = openPower({ record: () => record, remember, access, bridge, isWanted });

  async function boot(): Promise<void> {
    const started = Date.now();
    const hasRunBefore = existsSync(consoleOf(record));
    await power.on({ mayBeDegraded: hasRunBefore });
    await access.write('/etc/hosts', setting.namesFile());
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    log(`host "${record.name}" is up at ${record.address} after ${seconds} s`);
  }

  return {
    ...access,
    name: record.name,
    address: record.address,
    root: rootOf(record),
    console: consoleOf(record),
    get leader() {
      return leaderOf(record);
    },
    get isOn() {
      return findLeader(record) !== null;
    },
    stop: async () => power.shutDown(),
    reboot: async () => power.reboot(),
    powerOff: async () => power.kill(),
    bootAgain: boot,
    cut: async () => connectLink(linkName(machine), null),
    mend: async () => connectLink(linkName(machine), bridge),
    freeze: async () => setFrozen(machine, true),
    thaw: async () => setFrozen(machine, false),
    async destroy() {
      await power.kill();
      await setting.remove(record);
    },
  };
}
