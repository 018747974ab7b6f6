import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { atExit } from './exit.ts';
import { HostError } from './host-error.ts';
import { openHost } from './host.ts';
import type { Host, HostSetting } from './host.ts';
import { ensureImage } from './image.ts';
import type { ImageName } from './image.ts';
import { withLock } from './lock.ts';
import { mountOverlay } from './mounts.ts';
import { makeNetwork, pickPrefix, takenNetworks, uplinkMtu } from './network.ts';
import { cacheDirectory } from './paths.ts';
import { checkPrerequisites, describeMissing } from './prerequisites.ts';
import { identify } from './processes.ts';
import { readFleets, writeFleet } from './records.ts';
import type { FleetRecord, HostRecord } from './records.ts';
import { handIn, readSurroundings, writeInto } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';
import {
  ensureForwarding,
  FLEETS_LOCK,
  tearDownAbandoned,
  tearDownFleet,
  tearDownHost,
} from './teardown.ts';

export interface FleetOptions {
  /** Told what is going on, a line at a time. */
  readonly log?: (line: string) => void;
  /**
   * Whether SIGINT, SIGTERM and SIGHUP tear the fleet down and then end the process (as they do if absent). Whoever
   * says no has to call `close`, or `process.exit`, which tears down as well.
   */
  readonly handleSignals?: boolean;
}

export interface BootOptions {
  /** Its host name. Every host of the fleet reaches it by this name. */
  readonly name: string;
  readonly image: ImageName;
}

/** Some hosts on a private network of their own. */
export interface Fleet {
  readonly id: string;
  /** This machine, as its hosts see it. */
  readonly gateway: string;
  readonly hosts: readonly Host[];
  /** Makes and starts a host; done when its systemd says `running` and its address answers. */
  boot(options: BootOptions): Promise<Host>;
  /** Kills every host and leaves nothing of the fleet on this machine, other than cached images. */
  close(): Promise<void>;
}

const FIRST_ADDRESS = 10;

/**
 * Opens a fleet without hosts, after clearing away those whose owners died. Throws HostError naming everything this
 * machine lacks before anything is done. Until `close`, the process it is opened in does not end by itself.
 */
export async function openFleet(options: FleetOptions = {}): Promise<Fleet> {
  const { log = () => undefined, handleSignals = true } = options;
  await refuseUnlessReady();
  const surroundings = readSurroundings();
  const record = await withLock(FLEETS_LOCK, async () => createFleet(surroundings, log));
  let current = record;
  let isClosed = false;
  const hosts = new Map<string, Host>();

  const setting: HostSetting = {
    bridge: record.bridge,
    environment: surroundings.environment,
    log,
    namesFile: () => namesFile(current),
    isWanted: () => !isClosed,
    remember,
    remove,
  };

  function update(changed: FleetRecord): void {
    if (isClosed) throw new HostError(`Cannot change fleet "${record.id}": it is closed`);
    current = changed;
    writeFleet(current);
  }

  function remember(host: HostRecord): void {
    const others = current.hosts.filter(({ name }) => name !== host.name);
    update({ ...current, hosts: [...others, host] });
  }

  async function remove(host: HostRecord): Promise<void> {
    if (isClosed) return;
    tearDownHost(host);
    hosts.delete(host.name);
    update({ ...current, hosts: current.hosts.filter(({ name }) => name !== host.name) });
    await tellNames();
  }

  async function tellNames(except = ''): Promise<void> {
    const reachable = [...hosts.values()].filter(({ isOn, name }) => isOn && name !== except);
    await Promise.all(reachable.map(async (host) => host.write('/etc/hosts', namesFile(current))));
  }

  async function boot({ name, image }: BootOptions): Promise<Host> {
    const layers = await ensureImage(image, surroundings, log);
    const own = newHost(current, name);
    remember(own);
    try {
      ensureForwarding();
      layOut(own, mountOverlay(own.directory, layers), current, surroundings);
      const host = openHost(own, setting);
      await host.bootAgain();
      hosts.set(name, host);
      await tellNames(name);
      return host;
    } catch (error) {
      await remove(own);
      throw error;
    }
  }

  function tearDown(): void {
    if (isClosed) return;
    isClosed = true;
    tearDownFleet(current);
  }
  const callOff = atExit(tearDown, { handleSignals });

  return {
    id: record.id,
    gateway: `${record.prefix}.1`,
    get hosts() {
      return [...hosts.values()];
    },
    boot,
    async close() {
      await withLock(FLEETS_LOCK, async () => tearDown());
      callOff();
    },
  };
}

async function refuseUnlessReady(): Promise<void> {
  const missing = await checkPrerequisites();
  if (missing.length === 0) return;
  const lines = missing.map((thing) => `  - ${describeMissing(thing)}`);
  throw new HostError(`Cannot open a fleet: this machine lacks\n${lines.join('\n')}`);
}

async function createFleet(
  surroundings: Surroundings,
  log: (line: string) => void,
): Promise<FleetRecord> {
  for (const id of tearDownAbandoned()) log(`cleared away fleet "${id}", whose owner had died`);
  const owner = identify();
  if (owner === null) throw new HostError('Cannot open a fleet: this process is not in /proc');
  const fleets = readFleets();
  const id = newId(fleets);
  const taken = [
    ...takenNetworks(),
    ...surroundings.nameServers,
    ...fleets.map(({ prefix }) => `${prefix}.0/24`),
  ];
  const prefix = pickPrefix(taken);
  const directory = join(cacheDirectory(), 'fleets', id);
  const record = {
    id,
    owner,
    bridge: `cnd-${id}`,
    table: `conductor_${id}`,
    prefix,
    directory,
    hosts: [],
  };
  writeFleet(record);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    makeNetwork(record);
    ensureForwarding();
  } catch (error) {
    tearDownFleet(record);
    throw error;
  }
  return record;
}

function newId(fleets: readonly FleetRecord[]): string {
  const id = randomBytes(2).toString('hex');
  return fleets.some((fleet) => fleet.id === id) ? newId(fleets) : id;
}

function newHost({ id, prefix, directory, hosts }: FleetRecord, name: string): HostRecord {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name))
    throw new HostError(`Cannot boot "${name}": not a host name`);
  if (hosts.some((host) => host.name === name)) {
    throw new HostError(`Cannot boot "${name}": the fleet has a host of that name`);
  }
  const used = new Set(hosts.map(({ address }) => address));
  const numbers = Array.from({ length: 240 }, (_, index) => FIRST_ADDRESS + index);
  const number = numbers.find((candidate) => !used.has(`${prefix}.${candidate}`));
  if (number === undefined) throw new HostError(`Cannot boot "${name}": the fleet is full`);
  return {
    name,
    machine: `cnd-${id}-${number}`,
    address: `${prefix}.${number}`,
    directory: join(directory, name),
    supervisor: null,
  };
}

/** Gives a tree that nothing runs in yet its identity, its address and the ways of this machine. */
function layOut(
  host: HostRecord,
  root: string,
  fleet: FleetRecord,
  surroundings: Surroundings,
): void {
  handIn(root, surroundings);
  writeInto(root, 'etc/hostname', `${host.name}\n`);
  writeInto(root, 'etc/hosts', namesFile(fleet));
  writeInto(root, 'etc/machine-id', `${randomUUID().replaceAll('-', '')}\n`);
  // Sorts before systemd's own 80-container-host0.network, which would ask for an address instead.
  writeInto(root, 'etc/systemd/network/10-host0.network', networkFile(host.address, fleet.prefix));
}

function networkFile(address: string, prefix: string): string {
  return [
    '[Match]',
    'Name=host0',
    '',
    '[Link]',
    `MTUBytes=${uplinkMtu()}`,
    '',
    '[Network]',
    `Address=${address}/24`,
    `Gateway=${prefix}.1`,
    'LinkLocalAddressing=no',
    'IPv6AcceptRA=no',
    'ConfigureWithoutCarrier=yes',
    '',
  ].join('\n');
}

function namesFile({ hosts }: FleetRecord): string {
  const named = hosts.map(({ address, name }) => `${address} ${name}`).toSorted();
  return ['127.0.0.1 localhost', '::1 localhost ip6-localhost', ...named, ''].join('\n');
}
