import { ConductorError } from '../shared/errors.ts';
import { areEqual, concat, readerOf, u16, u8, utf8 } from './bytes.ts';
import type { Reader } from './bytes.ts';
import { TAG_LENGTH } from './crypto.ts';
import { minionIdSchema } from './identifiers.ts';

/** The three messages of the handshake as bytes. Every decoder refuses all but the one encoding. */

export const M1_MAXIMUM = 1024;
export const M2_HEAD_LENGTH = 71;
/** 136 bytes of certificate, a signature, an HMAC. */
const M2_LENGTH = M2_HEAD_LENGTH + 2 + 136 + 64 + 64 + TAG_LENGTH;
/** With the longest id and a join proof. */
const M3_MAXIMUM = 7 + (1 + 128 + 32 + 1 + 16) + 64 + 64 + 64 + TAG_LENGTH;

const MAGIC = utf8('CDR1');

export interface Hello {
  readonly versions: readonly number[];
  readonly suites: readonly number[];
  readonly ephemeral: Uint8Array;
  readonly nonce: Uint8Array;
  /** First 8 bytes of the SHA-256 of the pinned root key; zeros from a minion that has no pin yet. */
  readonly rootId: Uint8Array;
}

export function encodeM1({ versions, suites, ephemeral, nonce, rootId }: Hello): Uint8Array {
  const lists = [versions, suites].map((list) => concat(u8(list.length), Uint8Array.from(list)));
  return concat(MAGIC, u8(1), ...lists, ephemeral, nonce, rootId);
}

export function decodeM1(bytes: Uint8Array): Hello {
  if (bytes.length > M1_MAXIMUM) throw refusal('the first message is too long');
  const reader = begin(bytes, 1);
  const versions = [...reader.take(reader.u8())];
  const suites = [...reader.take(reader.u8())];
  const hello = { versions, suites, ephemeral: reader.take(32), nonce: reader.take(32) };
  const rootId = reader.take(8);
  reader.end();
  return { ...hello, rootId };
}

export interface Answer {
  readonly version: number;
  readonly suite: number;
  readonly ephemeral: Uint8Array;
  readonly nonce: Uint8Array;
}

export function encodeM2Head({ version, suite, ephemeral, nonce }: Answer): Uint8Array {
  return concat(MAGIC, u8(2), u8(version), u8(suite), ephemeral, nonce);
}

export function decodeM2(bytes: Uint8Array): {
  readonly answer: Answer;
  readonly head: Uint8Array;
  readonly sealed: Uint8Array;
} {
  if (bytes.length !== M2_LENGTH) throw refusal('the second message has not the right length');
  const reader = begin(bytes, 2);
  const [version, suite] = [reader.u8(), reader.u8()];
  const answer = { version, suite, ephemeral: reader.take(32), nonce: reader.take(32) };
  return { answer, head: bytes.slice(0, M2_HEAD_LENGTH), sealed: takeSealed(reader) };
}

export function withLength(sealed: Uint8Array): Uint8Array {
  return concat(u16(sealed.length), sealed);
}

export function encodeM3(sealed: Uint8Array): Uint8Array {
  return concat(MAGIC, u8(3), withLength(sealed));
}

/** The sealed part of the third message. */
export function decodeM3(bytes: Uint8Array): Uint8Array {
  if (bytes.length > M3_MAXIMUM) throw refusal('the third message is too long');
  return takeSealed(begin(bytes, 3));
}

/** Who the minion says it is, until its signature has been checked. */
export interface ClaimedIdentity {
  readonly id: string;
  readonly publicKey: Uint8Array;
  /** Names the join token whose secret the minion knows; `null` if it brings none. */
  readonly tokenId: Uint8Array | null;
}

export function encodeIdentity({ id, publicKey, tokenId }: ClaimedIdentity): Uint8Array {
  const name = utf8(id);
  const join = tokenId === null ? [u8(0)] : [u8(1), tokenId];
  return concat(u8(name.length), name, publicKey, ...join);
}

/** What the third message seals, taken apart; `bytes` is the identity as it was sent. */
export interface MinionPart {
  readonly identity: ClaimedIdentity;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly finish: Uint8Array;
  readonly joinProof: Uint8Array | null;
}

export function decodeMinionPart(plaintext: Uint8Array): MinionPart {
  const reader = readerOf(plaintext);
  const id = minionIdSchema.safeParse(Buffer.from(reader.take(reader.u8())).toString('latin1'));
  if (!id.success) throw refusal('the minion gives an id that is none');
  const publicKey = reader.take(32);
  const flags = reader.u8();
  if (flags > 1) throw refusal('the minion sets flags that do not exist');
  const tokenId = flags === 1 ? reader.take(16) : null;
  const identity = { id: id.data, publicKey, tokenId };
  const [signature, finish] = [reader.take(64), reader.take(64)];
  const joinProof = flags === 1 ? reader.take(64) : null;
  reader.end();
  return { identity, bytes: encodeIdentity(identity), signature, finish, joinProof };
}

function begin(bytes: Uint8Array, number: number): Reader {
  const reader = readerOf(bytes);
  if (!areEqual(reader.take(4), MAGIC) || reader.u8() !== number)
    throw refusal('the other side speaks another protocol');
  return reader;
}

function takeSealed(reader: Reader): Uint8Array {
  const sealed = reader.take(reader.u16());
  reader.end();
  return sealed;
}

/** A reason to end the handshake: told to this side's log, never to the other side. */
export function refusal(reason: string): ConductorError {
  return new ConductorError('HANDSHAKE_FAILED', `Cannot complete the handshake: ${reason}`);
}
