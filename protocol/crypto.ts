/** An Ed25519 key: the seed is the private half. */
export interface SigningKey {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array;
}

/**
 * All the cryptography that the channel stands on. Its implementations give the same bytes; what
 * they accept beyond that is cut back to one rule by `checks.ts`.
 */
export interface Crypto {
  /** Random bytes from the system. */
  random(length: number): Uint8Array;
  sha256(message: Uint8Array): Uint8Array;
  sha512(message: Uint8Array): Uint8Array;
  hmacSha512(key: Uint8Array, message: Uint8Array): Uint8Array;
  /** The Ed25519 key that a 32-byte seed stands for. */
  signingKey(seed: Uint8Array): SigningKey;
  sign(message: Uint8Array, key: SigningKey): Uint8Array;
  /** Whether a signature is a public key's, without the checks that `verifies` adds. */
  verifyUnchecked(message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean;
  /** The X25519 public key of a private one. */
  dhPublicKey(privateKey: Uint8Array): Uint8Array;
  /** X25519; the result may be all zero, which `sharedSecret` refuses. */
  dhUnchecked(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
  /** ChaCha20-Poly1305 without additional data; the nonce is 4 zero bytes and the counter. */
  seal(key: Uint8Array, counter: bigint, plaintext: Uint8Array): Uint8Array;
  /** The plaintext; `null` if it was not sealed with this key and counter. */
  open(key: Uint8Array, counter: bigint, sealed: Uint8Array): Uint8Array | null;
}

/** How much longer a sealed text is than its plaintext. */
export const TAG_LENGTH = 16;
