import { readFile } from 'node:fs/promises';
import { parseSealingKey } from '../../protocol/seal.ts';
import { ConductorError, messageOf, systemCode } from '../../shared/errors.ts';
import type { MasterConfig } from '../config/master-config.ts';
import { statePaths } from '../state-directory.ts';

/** The public key to seal to: the one given, or that of the master on this machine. */
export async function readSealingKey(
  given: string | undefined,
  config: MasterConfig,
): Promise<Uint8Array> {
  if (given !== undefined) return parseGiven(given);
  const path = statePaths(config.state_directory).sealingPublicKey;
  try {
    return parseSealingKey(await readFile(path, 'utf8'));
  } catch (cause) {
    if (cause instanceof ConductorError) throw cause;
    const reason = systemCode(cause) === 'ENOENT' ? 'there is none' : messageOf(cause);
    const hint = 'give it with --key, as "master seal --print-key" says on the master';
    const message = `Cannot read the sealing key "${path}": ${reason}; ${hint}`;
    throw new ConductorError('STATE_DIRECTORY_INVALID', message, { cause });
  }
}

function parseGiven(text: string): Uint8Array {
  try {
    return parseSealingKey(text);
  } catch (cause) {
    const message = `Cannot read --key: "${text}" is no sealing key; "master seal --print-key" on the master says it`;
    throw new ConductorError('USAGE', message, { cause });
  }
}
