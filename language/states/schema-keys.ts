import { z } from 'zod';

/** The arguments that a schema of an object takes, through pipes, refinements and unions. */
export function schemaKeys(schema: unknown): ReadonlyMap<string, unknown> {
  if (schema instanceof z.ZodObject) return new Map(Object.entries(schema.shape));
  if (schema instanceof z.ZodPipe) return firstKeys(schema.def.in, schema.def.out);
  if (schema instanceof z.ZodUnion) return mergeKeys(schema.def.options);
  if (schema instanceof z.ZodIntersection) return mergeKeys([schema.def.left, schema.def.right]);
  return isWrapper(schema) ? schemaKeys(schema.def.innerType) : new Map();
}

function firstKeys(first: unknown, second: unknown): ReadonlyMap<string, unknown> {
  const keys = schemaKeys(first);
  return keys.size > 0 ? keys : schemaKeys(second);
}

function mergeKeys(schemas: readonly unknown[]): ReadonlyMap<string, unknown> {
  return new Map(schemas.flatMap((schema) => [...schemaKeys(schema)]));
}

type Wrapper =
  | z.ZodOptional
  | z.ZodExactOptional
  | z.ZodDefault
  | z.ZodPrefault
  | z.ZodNullable
  | z.ZodReadonly;

function isWrapper(schema: unknown): schema is Wrapper {
  return [
    z.ZodOptional,
    z.ZodExactOptional,
    z.ZodDefault,
    z.ZodPrefault,
    z.ZodNullable,
    z.ZodReadonly,
  ].some((kind) => schema instanceof kind);
}
