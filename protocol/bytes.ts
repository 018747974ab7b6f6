import { ConductorError } from '../shared/errors.ts';

/** Joins byte strings. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** Big endian, as all numbers on the wire. */
export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

export function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

export function u64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** Compares in a time that does not depend on where they differ. */
export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Takes a message apart from front to back. */
export interface Reader {
  take(length: number): Uint8Array;
  u8(): number;
  u16(): number;
  u32(): number;
  u64(): bigint;
  /** All that is left. */
  rest(): Uint8Array;
  /** Says that nothing may be left. */
  end(): void;
}

/** Each method throws MESSAGE_INVALID where the message is too short or too long for it. */
export function readerOf(bytes: Uint8Array): Reader {
  let offset = 0;
  const take = (length: number): Uint8Array => {
    if (offset + length > bytes.length) throw malformed('it is cut short');
    offset += length;
    return bytes.slice(offset - length, offset);
  };
  const number = (length: 1 | 2 | 4): number =>
    take(length).reduce((value, byte) => value * 256 + byte, 0);
  return {
    take,
    u8: () => number(1),
    u16: () => number(2),
    u32: () => number(4),
    u64: () => take(8).reduce((value, byte) => value * 256n + BigInt(byte), 0n),
    rest: () => take(bytes.length - offset),
    end: () => {
      if (offset !== bytes.length) throw malformed('something follows it');
    },
  };
}

function malformed(problem: string): ConductorError {
  return new ConductorError('MESSAGE_INVALID', `Cannot read a message: ${problem}`);
}
