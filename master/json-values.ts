import * as z from 'zod/mini';

const values = z.record(z.string(), z.json());

/** A mapping of which only JSON is in. */
export type JsonMapping = Readonly<z.infer<typeof values>>;

/** Checks that only JSON is in a mapping. Throws on anything else. */
export function jsonMapping(mapping: unknown): z.infer<typeof values> {
  return values.parse(mapping);
}
