import { areEqual } from './bytes.ts';
import type { Crypto } from './crypto.ts';

const PREFIX = 'cdr1:';
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** What people compare: `cdr1:` and the SHA-256 of a public key in base32 (52 letters). */
export function fingerprintOf(crypto: Crypto, publicKey: Uint8Array): string {
  return `${PREFIX}${base32(crypto.sha256(publicKey))}`;
}

/** The SHA-256 that a fingerprint stands for; `null` if it is none. */
export function digestOfFingerprint(fingerprint: string): Uint8Array | null {
  if (!/^cdr1:[a-z2-7]{52}$/u.test(fingerprint)) return null;
  const digest = fromBase32(fingerprint.slice(PREFIX.length));
  return `${PREFIX}${base32(digest)}` === fingerprint ? digest : null;
}

export function hasFingerprint(
  crypto: Crypto,
  publicKey: Uint8Array,
  fingerprint: string,
): boolean {
  const digest = digestOfFingerprint(fingerprint);
  return digest !== null && areEqual(crypto.sha256(publicKey), digest);
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = bits.match(/.{1,5}/gu) ?? [];
  return letters.map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
}

function fromBase32(text: string): Uint8Array {
  const bits = [...text].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/gu) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
}
