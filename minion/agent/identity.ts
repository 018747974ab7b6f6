import { join } from 'node:path';
import type { Crypto, SigningKey } from '../../protocol/crypto.ts';
import { makePrivateDirectory, readOrCreateKeyFile } from '../../protocol/key-files.ts';
import { atRestKey, createAtRest } from '../host/at-rest.ts';
import type { AtRest } from '../host/at-rest.ts';

/** This minion's own key, made when it is first asked for. It never leaves the machine. */
export async function minionIdentity(crypto: Crypto, stateDirectory: string): Promise<SigningKey> {
  await makePrivateDirectory(stateDirectory);
  const seed = await readOrCreateKeyFile(crypto, join(stateDirectory, 'keys/minion.key'), 'minion');
  return crypto.signingKey(seed);
}

/** What this minion keeps on its disk is sealed with a key that follows from its own. */
export async function minionAtRest(crypto: Crypto, stateDirectory: string): Promise<AtRest> {
  const { seed } = await minionIdentity(crypto, stateDirectory);
  return createAtRest(crypto, atRestKey(crypto, seed));
}
