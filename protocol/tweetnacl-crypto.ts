import nacl from 'tweetnacl';
import { concat } from './bytes.ts';
import { openChaCha, sealChaCha } from './chacha20-poly1305.ts';
import type { Crypto } from './crypto.ts';
import { sha256 } from './sha256.ts';

/** The same cryptography by other hands, which tests run against the daemons' own. */
export const tweetnaclCrypto: Crypto = {
  random: (length) => nacl.randomBytes(length),
  sha256,
  sha512: (message) => nacl.hash(message),
  hmacSha512,
  signingKey: (seed) => ({ seed, publicKey: nacl.sign.keyPair.fromSeed(seed).publicKey }),
  sign: (message, { seed, publicKey }) => nacl.sign.detached(message, concat(seed, publicKey)),
  verifyUnchecked: (message, signature, publicKey) =>
    nacl.sign.detached.verify(message, signature, publicKey),
  dhPublicKey: (privateKey) => nacl.scalarMult.base(privateKey),
  dhUnchecked: (privateKey, publicKey) => nacl.scalarMult(privateKey, publicKey),
  seal: sealChaCha,
  open: openChaCha,
};

const BLOCK = 128;

function hmacSha512(key: Uint8Array, message: Uint8Array): Uint8Array {
  const padded = new Uint8Array(BLOCK);
  padded.set(key.length > BLOCK ? nacl.hash(key) : key);
  const inner = nacl.hash(
    concat(
      padded.map((byte) => byte ^ 0x36),
      message,
    ),
  );
  return nacl.hash(
    concat(
      padded.map((byte) => byte ^ 0x5c),
      inner,
    ),
  );
}
