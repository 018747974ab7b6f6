import { z } from 'zod';
import type { StateSchema } from './state-schema.ts';

/**
 * What a process that has loaded a tree's own state types tells one that must not: the mistakes
 * that it found, and each type as data.
 */
const place = z.strictObject({ file: z.string(), line: z.int(), column: z.int() });

const problem = z.strictObject({
  place,
  message: z.string(),
  help: z.string().nullable(),
  chain: z.array(z.strictObject({ words: z.string(), place })),
  sourceLine: z.string().nullable(),
});

const described = z.strictObject({
  name: z.templateLiteral([z.string(), '.', z.string()]),
  /** JSON Schema of the arguments. */
  schema: z.record(z.string(), z.json()),
  example: z.string(),
  treeFiles: z.array(z.string()).exactOptional(),
  treeFileLists: z.array(z.string()).exactOptional(),
  treeDirectories: z.array(z.string()).exactOptional(),
  pillarPaths: z.array(z.string()).exactOptional(),
  needsGuard: z.literal(true).exactOptional(),
});

export const typesAnswer = z.strictObject({
  problems: z.array(problem),
  types: z.array(described),
});

export type TypesAnswer = z.infer<typeof typesAnswer>;
export type DescribedType = TypesAnswer['types'][number];

/** What is asked of it. */
export const typesQuestion = z.strictObject({
  /** Look for the mistakes of the whole tree, not of its state types only. */
  isWhole: z.boolean(),
  revision: z.string(),
  files: z.array(
    z.strictObject({
      path: z.string(),
      sha256: z.string(),
      size: z.int(),
      mode: z.string(),
      /** In base64; empty where nobody needs to look inside. */
      content: z.string(),
    }),
  ),
});

export type TypesQuestion = z.infer<typeof typesQuestion>;

/** As data, for one that is not to run its code. */
export function describe(type: StateSchema & { readonly example: string }): DescribedType {
  const { schema, ...rest } = type;
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return described.strip().parse({ ...rest, schema: JSON.parse(JSON.stringify(json)) });
}

/**
 * A type by its description: its arguments are known by name, kind and limits. What only its code
 * can tell (checks of its own, implied requisites) is left to those who have it.
 */
export function schemaOf({ schema, ...type }: DescribedType): StateSchema {
  return { ...type, schema: z.fromJSONSchema(schema) };
}
