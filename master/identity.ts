import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { areEqual, fromHex, toHex } from '../protocol/bytes.ts';
import { makeCertificate, readCertificate } from '../protocol/certificate.ts';
import { fingerprintOf } from '../protocol/fingerprint.ts';
import { makePrivateDirectory, readKeyFile, readOrCreateKeyFile } from '../protocol/key-files.ts';
import type { MasterSide } from '../protocol/master-handshake.ts';
import { nodeCrypto } from '../protocol/node-crypto.ts';
import { formatSealingKey, open, sealingKey } from '../protocol/seal.ts';
import { ConductorError } from '../shared/errors.ts';
import type { PillarKeys } from './sessions/compiled-pillar.ts';
import type { StatePaths } from './state-directory.ts';
import type { Store } from './store/store.ts';

/** What makes this master the one that its minions know. */
export interface Identity {
  readonly side: MasterSide;
  readonly rootFingerprint: string;
  readonly pillarKeys: PillarKeys;
}

/** Makes what is not there yet: keys and the first certificate. Never replaces anything. */
export async function initializeIdentity(paths: StatePaths, store: Store): Promise<void> {
  const identity = await readOrCreateKeyFile(nodeCrypto, paths.identityKey, 'identity');
  const sealing = sealingKey(await readOrCreateKeyFile(nodeCrypto, paths.sealingKey, 'sealing'));
  await writeFile(paths.sealingPublicKey, `${formatSealingKey(sealing.publicKey)}\n`, {
    mode: 0o644,
  });
  // The root key may have been taken offline since: it is needed for a new certificate only.
  if ((await store.certificates.newest()) !== null) return;
  const root = nodeCrypto.signingKey(await readOrCreateKeyFile(nodeCrypto, paths.rootKey, 'root'));
  const identityKey = nodeCrypto.signingKey(identity).publicKey;
  await store.certificates.add({
    serial: 1,
    bytes: toHex(makeCertificate(nodeCrypto, root, identityKey, 1n)),
    createdAt: new Date().toISOString(),
  });
}

export async function makeStateDirectory({ directory }: StatePaths): Promise<void> {
  await makePrivateDirectory(directory);
}

/** Reads the keys that the daemon works with. Throws STATE_DIRECTORY_INVALID. */
export async function loadIdentity(paths: StatePaths, store: Store): Promise<Identity> {
  const identity = nodeCrypto.signingKey(await readKeyFile(paths.identityKey, 'identity'));
  const sealing = sealingKey(await readKeyFile(paths.sealingKey, 'sealing'));
  const record = await store.certificates.newest();
  if (record === null) throw unusable(paths, 'it has no certificate: run "master init" first');
  const certificate = fromHex(record.bytes);
  const { rootKey, identityKey } = readCertificate(certificate);
  if (!areEqual(identityKey, identity.publicKey))
    throw unusable(paths, 'its certificate is for another identity key');
  return {
    side: { crypto: nodeCrypto, certificate, identity },
    rootFingerprint: fingerprintOf(nodeCrypto, rootKey),
    pillarKeys: {
      unseal: (sealed) => open(sealing, sealed),
      fingerprintKeyOf: (minion) =>
        createHmac('sha256', sealing.privateKey)
          .update(`CDR1 secret fingerprints of ${minion}`)
          .digest('hex'),
    },
  };
}

function unusable({ directory }: StatePaths, problem: string): ConductorError {
  const message = `Cannot use the state directory "${directory}": ${problem}`;
  return new ConductorError('STATE_DIRECTORY_INVALID', message);
}
