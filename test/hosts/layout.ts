import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { HostError } from './host-error.ts';
import { makeNetwork, pickPrefix, takenNetworks, uplinkMtu } from './network.ts';
import { cacheDirectory } from './paths.ts';
import { identify } from './processes.ts';
import { readFleets, writeFleet } from './records.ts';
import type { FleetRecord, HostRecord } from './records.ts';
import { handIn, writeInto } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';
import { ensureForwarding, tearDownAbandoned, tearDownFleet } from './teardown.ts';

const FIRST_ADDRESS = 10;

/** Makes the network of a new fleet, after clearing away what dead owners have left. Under the lock of all fleets. */
export function createFleet(surroundings: Surroundings, log: (line: string) => void): FleetRecord {
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

/** A place in the fleet for one more host. Throws HostError if the name is no host name, or taken. */
export function newHost({ id, prefix, directory, hosts }: FleetRecord, name: string): HostRecord {
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
export function layOut(
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

/** `/etc/hosts` of every host of a fleet. */
export function namesFile({ hosts }: FleetRecord): string {
  const named = hosts.map(({ address, name }) => `${address} ${name}`).toSorted();
  return ['127.0.0.1 localhost', '::1 localhost ip6-localhost', ...named, ''].join('\n');
}
