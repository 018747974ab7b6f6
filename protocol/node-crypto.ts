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
import { concat, u64 } from './bytes.ts';
import { TAG_LENGTH } from './crypto.ts';
import type { Crypto } from './crypto.ts';

type Curve = 'Ed25519' | 'X25519';

/** The cryptography of the daemons: OpenSSL's, by `node:crypto`. */
export const nodeCrypto: Crypto = {
  random: (length) => new Uint8Array(randomBytes(length)),
  sha256: (message) => plain(createHash('sha256').update(message).digest()),
  sha512: (message) => plain(createHash('sha512').update(message).digest()),
  hmacSha512: (key, message) => plain(createHmac('sha512', key).update(message).digest()),
  signingKey: (seed) => ({ seed, publicKey: publicHalf(privateKeyOf('Ed25519', seed)) }),
  sign: (message, { seed }) => plain(sign(null, message, privateKeyOf('Ed25519', seed))),
  verifyUnchecked: (message, signature, publicKey) =>
    verify(null, message, publicKeyOf('Ed25519', publicKey), signature),
  dhPublicKey: (privateKey) => publicHalf(privateKeyOf('X25519', privateKey)),
  dhUnchecked,
  seal,
  open,
};

/** OpenSSL throws where the result would be all zero; that is an answer here. */
function dhUnchecked(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const ours = privateKeyOf('X25519', privateKey);
  const theirs = publicKeyOf('X25519', publicKey);
  try {
    return plain(diffieHellman({ privateKey: ours, publicKey: theirs }));
  } catch {
    // Both keys have been taken already: nothing else can go wrong.
    return new Uint8Array(32);
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

/**
 * Keys are handed over as JSON Web Keys: OpenSSL 3 takes a millisecond to read one in DER. Of a
 * private key only `d` is looked at.
 */
function privateKeyOf(crv: Curve, key: Uint8Array): KeyObject {
  const d = Buffer.from(key).toString('base64url');
  return createPrivateKey({ key: { kty: 'OKP', crv, d, x: '' }, format: 'jwk' });
}

function publicKeyOf(crv: Curve, key: Uint8Array): KeyObject {
  const x = Buffer.from(key).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv, x }, format: 'jwk' });
}

function publicHalf(privateKey: KeyObject): Uint8Array {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return plain(Buffer.from(x, 'base64url'));
}

/** Without the pool that a small Buffer shares its memory with. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
