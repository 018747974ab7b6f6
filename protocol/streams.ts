import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { ConductorError } from '../shared/errors.ts';
import { areEqual, concat, readerOf, u32, u8, utf8 } from './bytes.ts';
import { RECORD } from './records.ts';

/**
 * A message that does not fit one record travels as a stream of chunks: an opening chunk with its
 * size and type, its bytes, and a closing chunk with their SHA-256.
 */

/** Messages up to this go in one record. */
export const SINGLE_RECORD_MAXIMUM = 48 * 1024;
export const STREAMS_AT_ONCE = 4;

const OPENING = 1;
const BYTES = 0;
const CLOSING = 2;

/** How many bytes a message of each type may have; the border of what a peer can make us hold. */
export type SizeCaps = Readonly<Record<string, number>>;

/** The plaintexts of one stream's records, in order. */
export function* chunksOf(stream: number, type: string, body: Uint8Array): Generator<Uint8Array> {
  yield chunk(stream, OPENING, concat(u32(body.length), utf8(type)));
  for (let offset = 0; offset < body.length; offset += SINGLE_RECORD_MAXIMUM) {
    yield chunk(stream, BYTES, body.subarray(offset, offset + SINGLE_RECORD_MAXIMUM));
  }
  yield chunk(stream, CLOSING, createHash('sha256').update(body).digest());
}

function chunk(stream: number, kind: number, bytes: Uint8Array): Uint8Array {
  return concat(u8(RECORD.chunk), u32(stream), u8(kind), bytes);
}

/** A message that has come in whole. */
export interface Assembled {
  readonly type: string;
  readonly body: Uint8Array;
}

export interface Assembler {
  /** Takes a chunk record without its first byte; the message if this was its last chunk. Throws MESSAGE_INVALID. */
  take(record: Uint8Array): Assembled | null;
  readonly open: number;
}

interface Partial {
  readonly type: string;
  readonly size: number;
  /** What has come, and no more: a declared size alone costs nothing. */
  readonly parts: Uint8Array[];
  readonly hash: Hash;
  filled: number;
}

/** Puts the streams of one direction together again. */
export function createAssembler(caps: SizeCaps): Assembler {
  const partials = new Map<number, Partial>();
  let nextStream = 0;

  const begin = (stream: number, bytes: Uint8Array): null => {
    if (stream !== nextStream) throw broken('its number is not the next one');
    if (partials.size >= STREAMS_AT_ONCE) throw broken('too many are open at once');
    nextStream += 1;
    const reader = readerOf(bytes);
    const size = reader.u32();
    const type = Buffer.from(reader.rest()).toString('latin1');
    const cap = Object.hasOwn(caps, type) ? (caps[type] ?? 0) : 0;
    if (size > cap) throw broken(`${size} bytes are too many for a "${type}" message`);
    partials.set(stream, { type, size, parts: [], hash: createHash('sha256'), filled: 0 });
    return null;
  };

  return {
    get open() {
      return partials.size;
    },
    take: (record) => {
      const reader = readerOf(record);
      const [stream, kind, bytes] = [reader.u32(), reader.u8(), reader.rest()];
      if (kind === OPENING) return begin(stream, bytes);
      const partial = partials.get(stream);
      if (partial === undefined) throw broken('it was never opened');
      if (kind === BYTES) return fill(partial, bytes);
      if (kind !== CLOSING) throw broken('it has a chunk of an unknown kind');
      partials.delete(stream);
      return finish(partial, bytes);
    },
  };
}

function fill(partial: Partial, bytes: Uint8Array): null {
  if (bytes.length === 0 || partial.filled + bytes.length > partial.size)
    throw broken('it has another size than it declared');
  partial.parts.push(bytes);
  partial.hash.update(bytes);
  partial.filled += bytes.length;
  return null;
}

function finish({ type, size, parts, hash, filled }: Partial, digest: Uint8Array): Assembled {
  if (filled !== size) throw broken('it has another size than it declared');
  if (!areEqual(hash.digest(), digest)) throw broken('its hash is wrong');
  return { type, body: concat(...parts) };
}

function broken(problem: string): ConductorError {
  return new ConductorError('MESSAGE_INVALID', `Cannot put a stream together: ${problem}`);
}
