import { areEqual, concat, fromHex, toHex, utf8 } from '../../protocol/bytes.ts';
import type { Crypto } from '../../protocol/crypto.ts';

/**
 * What a minion keeps of its master's tree and of its own pillar is sealed on disk, so that a copy of the disk without
 * `keys/` gives nothing away, and so that nothing which a disk has changed is ever taken for what the master gave.
 */
export interface AtRest {
  /** In hex: for the child process that reads what its parent has sealed. */
  readonly key: string;
  seal(plaintext: Uint8Array): Uint8Array;
  /** `null` if it is not whole, or was sealed with another key. */
  open(sealed: Uint8Array): Uint8Array | null;
  /** In hex, 32 bytes: the same for the same text, and nothing to guess by without the key. */
  digest(plaintext: Uint8Array): string;
}

const MAGIC = utf8('CDR1 sealed\n');
const LABEL = utf8('CDR1 at rest v1\0');
const DIGEST_LABEL = utf8('CDR1 at rest digest v1\0');
const SALT_LENGTH = 32;

/** The key that follows from a minion's own, which only root can read. */
export function atRestKey(crypto: Crypto, seed: Uint8Array): string {
  return toHex(crypto.hmacSha512(seed, LABEL).slice(0, 32));
}

/** `MAGIC || salt || ChaCha20-Poly1305`, each text with a key of its own: no nonce is ever used twice. */
export function createAtRest(crypto: Crypto, key: string): AtRest {
  const master = fromHex(key);
  const keyOf = (salt: Uint8Array): Uint8Array =>
    crypto.hmacSha512(master, concat(LABEL, salt)).slice(0, 32);
  return {
    key,
    seal: (plaintext) => {
      const salt = crypto.random(SALT_LENGTH);
      return concat(MAGIC, salt, crypto.seal(keyOf(salt), 0n, plaintext));
    },
    open: (sealed) => {
      const from = MAGIC.length + SALT_LENGTH;
      const isSealed = areEqual(sealed.subarray(0, MAGIC.length), MAGIC) && sealed.length >= from;
      if (!isSealed) return null;
      return crypto.open(keyOf(sealed.subarray(MAGIC.length, from)), 0n, sealed.subarray(from));
    },
    digest: (plaintext) =>
      toHex(crypto.hmacSha512(master, concat(DIGEST_LABEL, plaintext)).slice(0, 32)),
  };
}
