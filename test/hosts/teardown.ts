import { join } from 'node:path';
import { removeGroup } from './cgroups.ts';
import { removeDirectory } from './mounts.ts';
import { isForwarding, removeLink, removeNetwork, setForwarding } from './network.ts';
import { PROPAGATION } from './paths.ts';
import {
  forgetFleet,
  forgetForwardingBefore,
  isAbandoned,
  readFleets,
  readForwardingBefore,
  writeForwardingBefore,
} from './records.ts';
import type { FleetRecord, HostRecord } from './records.ts';

/** The lock under which fleets come and go. */
export const FLEETS_LOCK = 'fleets';

/** The machine's end of a host's cable: systemd-nspawn calls it so. */
export function linkName(machine: string): string {
  return `vb-${machine}`;
}

/** Leaves nothing of a fleet on this machine. Works from the record alone, and in place, so also while exiting. */
export function tearDownFleet(fleet: FleetRecord): void {
  for (const host of fleet.hosts) tearDownHost(host);
  removeNetwork(fleet);
  removeDirectory(fleet.directory);
  forgetFleet(fleet.id);
  if (readFleets().length === 0) restoreForwarding();
}

/** Leaves nothing of one host: not a process, a mount, an interface, a file. */
export function tearDownHost(host: HostRecord): void {
  removeGroup(host.machine);
  removeLink(linkName(host.machine));
  removeDirectory(host.directory);
  removeDirectory(join(PROPAGATION, host.machine));
}

/** Tears down the fleets whose owners have died without doing so. Returns their ids. */
export function tearDownAbandoned(): string[] {
  const abandoned = readFleets().filter(isAbandoned);
  for (const fleet of abandoned) tearDownFleet(fleet);
  return abandoned.map(({ id }) => id);
}

/** Lets this machine forward packets, and remembers whether it did before. */
export function ensureForwarding(): void {
  if (readForwardingBefore() === null) writeForwardingBefore(isForwarding());
  if (!isForwarding()) setForwarding(true);
}

function restoreForwarding(): void {
  if (readForwardingBefore() === false) setForwarding(false);
  forgetForwardingBefore();
}
