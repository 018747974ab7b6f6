import { readFile } from 'node:fs/promises';
import { connectMaster } from '../../protocol/connect.ts';
import type { Connected } from '../../protocol/connect.ts';
import type { Crypto, SigningKey } from '../../protocol/crypto.ts';
import type { Wire } from '../../protocol/wire.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { MinionConfig } from '../config-schema.ts';
import { createAlarm } from './alarm.ts';
import { stayConnected } from './connection.ts';
import type { Core } from './core.ts';
import { dial } from './dial.ts';
import type { Random } from './reconnect.ts';
import { attendMaster } from './session.ts';
import type { Intentions } from './session.ts';
import { readTrust, writeTrust } from './trust.ts';
import type { Trust } from './trust.ts';

export interface AgentParts {
  readonly core: Core;
  readonly config: MinionConfig;
  readonly minion: string;
  readonly identity: SigningKey;
  readonly crypto: Crypto;
  readonly version: string;
  readonly intentions: () => Intentions;
  readonly signal: AbortSignal;
  readonly random: Random;
  readonly log: Logger;
  /** Waits between attempts to connect; until the time is over or the agent is to stop if absent. */
  readonly sleep?: (milliseconds: number) => Promise<void>;
  /** How often a session looks for reports that have been put off; ten minutes if absent. */
  readonly deliverMs?: number;
  /** How to reach a master; by websocket if absent. */
  readonly dial?: (master: string) => Promise<Wire>;
}

/** Keeps the agent connected until it is to stop. Throws if it does not know whom to believe. */
export async function runConnection(parts: AgentParts): Promise<void> {
  const { core, config, signal, random, log } = parts;
  const trust = trustOrRefuse(parts);
  const masters = config.master.length > 0 ? config.master : (trust?.masters ?? []);
  if (masters.length === 0)
    throw new ConductorError('CONFIG_INVALID', 'Cannot connect: no "master" is configured');
  const authority = config.tls_ca === undefined ? null : await readFile(config.tls_ca);
  const reach = parts.dial ?? ((master: string) => dial(master, authority));
  await stayConnected({
    masters,
    connect: async (master) => greetMaster(parts, await reach(master), masters),
    attend: (channel) => attendMaster({ ...parts, core }, channel),
    sleep: parts.sleep ?? createAlarm(signal).sleep,
    signal,
    random,
    log,
  });
}

/** Throws ENROLMENT_REFUSED if this minion has no master to believe, and may not find one itself. */
export function trustOrRefuse({ config, log }: Pick<AgentParts, 'config' | 'log'>): Trust | null {
  const trust = readTrust(config.state_directory, log);
  if (trust === null && !config.trust_on_first_use)
    throw new ConductorError(
      'ENROLMENT_REFUSED',
      'Cannot connect: this minion has not joined a master yet (minion join)',
    );
  return trust;
}

/** The handshake; what it teaches about the master is kept, and never goes back. */
async function greetMaster(
  { config, minion, identity, crypto, log }: AgentParts,
  wire: Wire,
  masters: readonly string[],
): Promise<Connected> {
  const trust = readTrust(config.state_directory, log);
  const connected = await connectMaster(wire, {
    crypto,
    pin: trust?.pin ?? null,
    minimumSerial: trust?.serial ?? 0n,
    minimumVersion: config.min_version,
    id: minion,
    identity,
  });
  const { rootFingerprint: pin, serial } = connected;
  if (trust === null) log.warn({ pin }, 'Master was trusted on first use');
  if (trust === null || serial > trust.serial)
    writeTrust(config.state_directory, { pin, serial, masters: trust?.masters ?? masters }, log);
  return connected;
}
