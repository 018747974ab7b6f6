import { areEqual, fromHex } from './bytes.ts';
import type { Crypto } from './crypto.ts';

/**
 * What both libraries would let through, refused here: keys that are not one point in one
 * encoding, points of small order, signatures in a second encoding, and a shared secret that the
 * other side chose alone.
 */

/** Every encoding of the eight points whose order divides 8, the canonical ones first. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
].map(fromHex);

/** The order of Ed25519's group, and the prime of its field. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

/** 32 bytes, in the one encoding that its point has, and not of small order. */
export function isSoundPublicKey(key: Uint8Array): boolean {
  if (key.length !== 32) return false;
  const y = littleEndian(key) & (2n ** 255n - 1n);
  return y < P && !SMALL_ORDER.some((point) => areEqual(point, key));
}

/** Whether a signature is a sound public key's, and in its one encoding (S below L). */
export function verifies(
  crypto: Crypto,
  message: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (signature.length !== 64 || !isSoundPublicKey(publicKey)) return false;
  if (littleEndian(signature.subarray(32)) >= L) return false;
  return crypto.verifyUnchecked(message, signature, publicKey);
}

/** X25519; `null` if the result is all zero, whatever our own key is. */
export function sharedSecret(
  crypto: Crypto,
  privateKey: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array | null {
  const secret = crypto.dhUnchecked(privateKey, publicKey);
  return areEqual(secret, new Uint8Array(32)) ? null : secret;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
}
