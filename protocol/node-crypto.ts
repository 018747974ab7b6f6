import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concat, fromHex, u64 } from './bytes.ts';
import { TAG_LENGTH } from './crypto.ts';
import type { Crypto } from './crypto.ts';

/** What stands before the 32 bytes of a key in its DER encodings (RFC 8410). */
const ED25519_PRIVATE = fromHex('302e020100300506032b657004220420');
const ED25519_PUBLIC = fromHex('302a300506032b6570032100');
const X25519_PRIVATE = fromHex('302e020100300506032b656e04220420');
const X25519_PUBLIC = fromHex('302a300506032b656e032100');

/** The cryptography of the daemons: OpenSSL's, by `node:crypto`. */
export const nodeCrypto: Crypto = {
  random: (length) => new Uint8Array(randomBytes(length)),
  sha256: (message) => plain(createHash('sha256').update(message).digest()),
  sha512: (message) => plain(createHash('sha512').update(message).digest()),
  hmacSha512: (key, message) => plain(createHmac('sha512', key).update(message).digest()),
  signingKey: (seed) => ({ seed, publicKey: publicHalf(privateKeyOf(ED25519_PRIVATE, seed)) }),
  sign: (message, { seed }) => plain(sign(null, message, privateKeyOf(ED25519_PRIVATE, seed))),
  verifyUnchecked: (message, signature, publicKey) =>
    verify(null, message, publicKeyOf(ED25519_PUBLIC, publicKey), signature),
  dhPublicKey: (privateKey) => publicHalf(privateKeyOf(X25519_PRIVATE, privateKey)),
  dhUnchecked,
  seal,
  open,
};

/** OpenSSL throws where the result would be all zero; that is an answer here. */
function dhUnchecked(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const ours = privateKeyOf(X25519_PRIVATE, privateKey);
  const theirs = publicKeyOf(X25519_PUBLIC, publicKey);
  try {
    return plain(diffieHellman({ privateKey: ours, publicKey: theirs }));
  } catch (error) {
    if (error instanceof Error && /derivation failed/u.test(error.message))
      return new Uint8Array(32);
    throw error;
  }
}

function seal(key: Uint8Array, counter: bigint, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('chacha20-poly1305', key, nonceOf(counter), {
    authTagLength: TAG_LENGTH,
  });
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

function open(key: Uint8Array, counter: bigint, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < TAG_LENGTH) return null;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonceOf(counter), {
    authTagLength: TAG_LENGTH,
  });
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
  const plaintext = decipher.update(sealed.subarray(0, -TAG_LENGTH));
  try {
    return concat(plaintext, decipher.final());
  } catch {
    // The tag does not fit: the only thing that `final` can find.
    return null;
  }
}

function nonceOf(counter: bigint): Uint8Array {
  return concat(new Uint8Array(4), u64(counter));
}

function privateKeyOf(prefix: Uint8Array, key: Uint8Array): KeyObject {
  const der = Buffer.from(concat(prefix, key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function publicKeyOf(prefix: Uint8Array, key: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(concat(prefix, key)), format: 'der', type: 'spki' });
}

function publicHalf(privateKey: KeyObject): Uint8Array {
  return plain(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** Without the pool that a small Buffer shares its memory with. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
