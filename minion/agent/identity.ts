import { join } from 'node:path';
import type { Crypto, SigningKey } from '../../protocol/crypto.ts';
import { makePrivateDirectory, readOrCreateKeyFile } from '../../protocol/key-files.ts';

/** This minion's own key, made when it is first asked for. It never leaves the machine. */
export async function minionIdentity(crypto: Crypto, stateDirectory: string): Promise<SigningKey> {
  await makePrivateDirectory(stateDirectory);
  const seed = await readOrCreateKeyFile(crypto, join(stateDirectory, 'keys/minion.key'), 'minion');
  return crypto.signingKey(seed);
}
