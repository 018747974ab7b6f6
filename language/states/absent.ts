import { z } from 'zod';
import { schemaKeys } from './schema-keys.ts';

const seen = new WeakSet<z.ZodType>();

/**
 * Has a schema say nothing of arguments that are not there. Of one that may be missing, zod computes
 * all that would be wrong with it and then drops that: of a state with forty arguments, most of the
 * work. What is accepted, and what of it becomes, is the same.
 */
export function sparingAbsent<Schema extends z.ZodType>(schema: Schema): Schema {
  if (seen.has(schema)) return schema;
  seen.add(schema);
  for (const argument of schemaKeys(schema).values()) {
    if (argument instanceof z.ZodExactOptional) spare(argument);
  }
  return schema;
}

function spare(argument: z.ZodExactOptional): void {
  const { _zod: inner } = argument;
  // What has a default gets it where it is absent.
  if (seen.has(argument) || inner.optin !== 'optional') return;
  seen.add(argument);
  const run = inner.run.bind(inner);
  inner.run = (payload, context) => (payload.value === undefined ? payload : run(payload, context));
}
