import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { trustSchema } from '../agent-files.ts';
import { restoreCopy, writeTwice } from '../host/durable-file.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { MinionConfig } from '../config-schema.ts';
import { readOwn } from './files.ts';

/** Which master this minion believes, and where it was reached. */
export interface Trust {
  /** Fingerprint of the root key. */
  readonly pin: string;
  /** The highest certificate serial seen so far. */
  readonly serial: bigint;
  readonly masters: readonly string[];
}

/** `null` if this minion has never joined. */
export function readTrust(stateDirectory: string, log: Logger): Trust | null {
  const path = trustPath(stateDirectory);
  // Only of a file that was damaged: one that has been removed is to be forgotten.
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  const stored =
    readOwn(path, (value) => trustSchema.parse(value), log) ??
    (isThere ? restoreCopy(path, trustSchema, { dryRun: false }) : null);
  return stored === null ? null : { ...stored, serial: BigInt(stored.serial) };
}

/** The masters that are configured, else those of the join string; none if this minion has never joined. */
export function mastersOf(
  { master, state_directory: stateDirectory }: MinionConfig,
  log: Logger,
): readonly string[] {
  return master.length > 0 ? master : (readTrust(stateDirectory, log)?.masters ?? []);
}

/** Writes down whom to believe. Never another root key over one that is there. */
export function writeTrust(stateDirectory: string, trust: Trust, log: Logger): void {
  const known = readTrust(stateDirectory, log);
  if (known !== null && known.pin !== trust.pin) throw otherMaster(stateDirectory, known.pin);
  const stored = { pin: trust.pin, serial: String(trust.serial), masters: [...trust.masters] };
  writeTwice(trustPath(stateDirectory), JSON.stringify(stored));
}

export function otherMaster(stateDirectory: string, pin: string): ConductorError {
  const path = trustPath(stateDirectory);
  const message = `Cannot join: this minion belongs to the master ${pin} (remove "${path}" to leave it)`;
  return new ConductorError('ENROLMENT_REFUSED', message);
}

function trustPath(stateDirectory: string): string {
  return join(stateDirectory, 'master.json');
}
