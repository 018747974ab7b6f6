import nacl from 'tweetnacl';
import { areEqual, concat, u64 } from './bytes.ts';

/**
 * ChaCha20-Poly1305 (RFC 8439) beside the daemons' own: ChaCha20 as the RFC has it, Poly1305 by
 * tweetnacl, whose typings do not list its low-level half.
 */
type Offset = number;

type OneTimeAuth = (
  ...parameters: [Uint8Array, Offset, Uint8Array, Offset, length: number, key: Uint8Array]
) => number;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- true of tweetnacl 1.0.3; tests compare what comes out
const { lowlevel } = nacl as unknown as {
  readonly lowlevel: { readonly crypto_onetimeauth: OneTimeAuth };
};

const TAG_LENGTH = 16;
const BLOCK = 64;

export function sealChaCha(key: Uint8Array, counter: bigint, plaintext: Uint8Array): Uint8Array {
  const sealed = chacha20(key, counter, plaintext);
  return concat(sealed, tagOf(key, counter, sealed));
}

export function openChaCha(
  key: Uint8Array,
  counter: bigint,
  message: Uint8Array,
): Uint8Array | null {
  if (message.length < TAG_LENGTH) return null;
  const sealed = message.subarray(0, -TAG_LENGTH);
  const isTrue = areEqual(tagOf(key, counter, sealed), message.subarray(-TAG_LENGTH));
  return isTrue ? chacha20(key, counter, sealed) : null;
}

function tagOf(key: Uint8Array, counter: bigint, sealed: Uint8Array): Uint8Array {
  const padding = new Uint8Array((16 - (sealed.length % 16)) % 16);
  const lengths = concat(u64(0n), u64(BigInt(sealed.length))).map(
    (_byte, index, all) => all[index < 8 ? 7 - index : 23 - index] ?? 0,
  );
  const message = concat(sealed, padding, lengths);
  const tag = new Uint8Array(TAG_LENGTH);
  const oneTimeKey = blockOf(key, counter, 0).slice(0, 32);
  lowlevel.crypto_onetimeauth(tag, 0, message, 0, message.length, oneTimeKey);
  return tag;
}

function chacha20(key: Uint8Array, counter: bigint, text: Uint8Array): Uint8Array {
  const out = Uint8Array.from(text);
  for (let start = 0; start < out.length; start += BLOCK) {
    const stream = blockOf(key, counter, start / BLOCK + 1);
    const end = Math.min(start + BLOCK, out.length);
    for (let index = start; index < end; index += 1) {
      out[index] = (out[index] ?? 0) ^ (stream[index - start] ?? 0);
    }
  }
  return out;
}

/** One block of the key stream; its nonce is 4 zero bytes and the counter, big endian. */
function blockOf(key: Uint8Array, counter: bigint, block: number): Uint8Array {
  const words = new DataView(new ArrayBuffer(BLOCK));
  for (const [index, letter] of [...'expand 32-byte k'].entries())
    words.setUint8(index, letter.charCodeAt(0));
  for (const [index, byte] of key.entries()) words.setUint8(16 + index, byte);
  words.setUint32(48, block, true);
  for (const [index, byte] of u64(counter).entries()) words.setUint8(56 + index, byte);

  const start = Uint32Array.from({ length: 16 }, (_, index) => words.getUint32(index * 4, true));
  const state = Uint32Array.from(start);
  for (let round = 0; round < 10; round += 1) doubleRound(state);
  for (const [index, word] of start.entries())
    words.setUint32(index * 4, word + (state[index] ?? 0), true);
  return new Uint8Array(words.buffer);
}

const QUARTERS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

const STEPS = [16, 12, 8, 7] as const;

function doubleRound(state: Uint32Array): void {
  for (const [a, b, c, d] of QUARTERS) {
    for (const [step, bits] of STEPS.entries()) {
      const [to, from, turned] = step % 2 === 0 ? [a, b, d] : [c, d, b];
      state[to] = (state[to] ?? 0) + (state[from] ?? 0);
      const mixed = (state[turned] ?? 0) ^ state[to];
      state[turned] = (mixed << bits) | (mixed >>> (32 - bits));
    }
  }
}
