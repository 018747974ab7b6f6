import { concat, u32, utf8 } from './bytes.ts';
import type { Crypto } from './crypto.ts';

/** HKDF with SHA-512 (RFC 5869). */
export function hkdf(
  crypto: Crypto,
  secret: Uint8Array,
  salt: Uint8Array,
  { info, length }: { readonly info: string; readonly length: number },
): Uint8Array {
  const key = crypto.hmacSha512(salt, secret);
  const blocks: Uint8Array[] = [];
  let last: Uint8Array = new Uint8Array();
  for (let number = 1; blocks.length * 64 < length; number += 1) {
    last = crypto.hmacSha512(key, concat(last, utf8(info), Uint8Array.of(number)));
    blocks.push(last);
  }
  return concat(...blocks).slice(0, length);
}

/** The transcript before the first message. */
export function startTranscript(crypto: Crypto): Uint8Array {
  return crypto.sha512(utf8('Conductor-HS-1'));
}

/** The transcript with one more part. */
export function mix(crypto: Crypto, transcript: Uint8Array, part: Uint8Array): Uint8Array {
  return crypto.sha512(concat(transcript, u32(part.length), part));
}

/** What is signed: never a bare hash, always with what it is for. */
export function signedText(context: string, transcript: Uint8Array): Uint8Array {
  return concat(utf8(`${context}\0`), transcript);
}

/** Two directions of traffic and the session's id: all that outlives the handshake. */
export interface SessionKeys {
  readonly id: Uint8Array;
  readonly toMaster: Uint8Array;
  readonly toMinion: Uint8Array;
}

export function sessionKeys(crypto: Crypto, hs: Uint8Array, th7: Uint8Array): SessionKeys {
  const all = hkdf(crypto, hs, th7, { info: 'cdr1 app', length: 160 });
  const keys = { toMaster: all.slice(0, 64), toMinion: all.slice(64, 128), id: all.slice(128) };
  all.fill(0);
  return keys;
}

/** The keys that seal and finish one side's part of the handshake. */
export interface PartKeys {
  readonly seal: Uint8Array;
  readonly finish: Uint8Array;
}

export function partKeys(
  crypto: Crypto,
  hs: Uint8Array,
  transcript: Uint8Array,
  side: 'i' | 'r',
): PartKeys {
  return {
    seal: hkdf(crypto, hs, transcript, { info: `cdr1 hs ${side} key`, length: 32 }),
    finish: hkdf(crypto, hs, transcript, { info: `cdr1 hs ${side} fin`, length: 64 }),
  };
}

/** Overwrites what must not stay in memory. */
export function erase(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}
