import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { HostError } from './host-error.ts';
import { RUN_DIRECTORY } from './paths.ts';
import { isAlive, processIdentity } from './processes.ts';

/** What is known about one host from outside its fleet's process: enough to enter it, and to undo it. */
const hostRecord = z.strictObject({
  name: z.string(),
  /** Its name on this machine; also that of its cgroup. */
  machine: z.string(),
  address: z.string(),
  directory: z.string(),
  /** The systemd-nspawn that runs it; `null` while it is off. */
  supervisor: processIdentity.nullable(),
});
export type HostRecord = z.infer<typeof hostRecord>;

const fleetRecord = z.strictObject({
  id: z.string(),
  owner: processIdentity,
  bridge: z.string(),
  table: z.string(),
  prefix: z.string(),
  directory: z.string(),
  hosts: z.array(hostRecord),
});
export type FleetRecord = z.infer<typeof fleetRecord>;

const FLEETS = join(RUN_DIRECTORY, 'fleets');
const FORWARDING_BEFORE = join(RUN_DIRECTORY, 'forwarding-before');

/** Every fleet on this machine, also those whose owner has died. */
export function readFleets(): FleetRecord[] {
  if (!existsSync(FLEETS)) return [];
  const names = readdirSync(FLEETS).filter((name) => name.endsWith('.json'));
  return names.map((name) => readRecord(join(FLEETS, name)));
}

function readRecord(path: string): FleetRecord {
  const parsed = fleetRecord.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new HostError(
    `Cannot read the record of a fleet "${path}": ${z.prettifyError(parsed.error)}`,
  );
}

/** Whether nobody is left who would ever undo this fleet. */
export function isAbandoned(fleet: FleetRecord): boolean {
  return !isAlive(fleet.owner);
}

export function writeFleet(fleet: FleetRecord): void {
  mkdirSync(FLEETS, { recursive: true, mode: 0o700 });
  const path = join(FLEETS, `${fleet.id}.json`);
  writeFileSync(`${path}.new`, JSON.stringify(fleet, null, 2), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function forgetFleet(id: string): void {
  rmSync(join(FLEETS, `${id}.json`), { force: true });
}

/** Whether this machine forwarded packets before the first fleet; `null` if that has not been written down. */
export function readForwardingBefore(): boolean | null {
  return existsSync(FORWARDING_BEFORE) ? readFileSync(FORWARDING_BEFORE, 'utf8') === '1' : null;
}

export function writeForwardingBefore(wasOn: boolean): void {
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o700 });
  writeFileSync(FORWARDING_BEFORE, wasOn ? '1' : '0');
}

export function forgetForwardingBefore(): void {
  rmSync(FORWARDING_BEFORE, { force: true });
}
