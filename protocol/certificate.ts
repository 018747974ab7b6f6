import { ConductorError } from '../shared/errors.ts';
import { concat, readerOf, u64, utf8 } from './bytes.ts';
import { verifies } from './checks.ts';
import type { Crypto, SigningKey } from './crypto.ts';

export const CERTIFICATE_LENGTH = 136;

/** The root key's word that an identity key is the master's. */
export interface Certificate {
  readonly rootKey: Uint8Array;
  readonly identityKey: Uint8Array;
  /** Higher is newer; minions refuse a lower one than they have seen. */
  readonly serial: bigint;
}

export function makeCertificate(
  crypto: Crypto,
  root: SigningKey,
  identityKey: Uint8Array,
  serial: bigint,
): Uint8Array {
  const body = concat(root.publicKey, identityKey, u64(serial));
  return concat(body, crypto.sign(signed(body), root));
}

/** Takes a certificate apart; its signature is not looked at. */
export function readCertificate(bytes: Uint8Array): Certificate {
  if (bytes.length !== CERTIFICATE_LENGTH)
    throw new ConductorError(
      'MESSAGE_INVALID',
      `Cannot read a master certificate: it has ${bytes.length} bytes, not ${CERTIFICATE_LENGTH}`,
    );
  const reader = readerOf(bytes);
  return { rootKey: reader.take(32), identityKey: reader.take(32), serial: reader.u64() };
}

/** Whether its own root key has signed it. Whether that root is the right one, the pin says. */
export function isSignedByRoot(crypto: Crypto, bytes: Uint8Array): boolean {
  const body = bytes.subarray(0, 72);
  return verifies(crypto, signed(body), bytes.subarray(72), readCertificate(bytes).rootKey);
}

function signed(body: Uint8Array): Uint8Array {
  return concat(utf8('CDR1 master cert v1\0'), body);
}
