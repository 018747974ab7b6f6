import { z } from 'zod';

/** Bytes in JSON that is kept across runs. */
export const keptBytes = z.codec(
  z.base64(),
  z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  {
    decode: (text) => new Uint8Array(Buffer.from(text, 'base64')),
    encode: (bytes) => Buffer.from(bytes).toString('base64'),
  },
);

export function toKept<T>(schema: z.ZodType<T>, value: T): Uint8Array {
  return Buffer.from(JSON.stringify(z.encode(schema, value)));
}

/** `null` if there is nothing, or it is not of this version. */
export function fromKept<T>(schema: z.ZodType<T>, content: Uint8Array | null): T | null {
  if (content === null) return null;
  const read = schema.safeParse(JSON.parse(Buffer.from(content).toString()));
  return read.success ? read.data : null;
}
