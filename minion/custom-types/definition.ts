import { z } from 'zod';
import { schemaKeys } from '../../language/states/schema-keys.ts';
import { hint } from '../../language/values/hint.ts';
import { messageOf } from '../../shared/errors.ts';
import type { StateType } from '../engine/state-type.ts';

/** What a definition lacks, and how to mend it. */
export interface Fault {
  readonly message: string;
  readonly help: string | null;
}

export type Judged =
  | { readonly type: StateType; readonly faults: readonly [] }
  | { readonly type: null; readonly faults: readonly Fault[] };

const method = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', {
  error: missingOr('must be a function'),
});
const flag = z.literal(true, { error: 'is either true or left out' }).optional();

const NAME = /^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/u;

const definition = z.strictObject({
  name: z.string({ error: missingOr('must be a text') }).regex(NAME, {
    error: 'must be "module.function" in small letters, such as motd.line',
  }),
  schema: z.instanceof(z.ZodType, { error: missingOr('must be a schema made with "z"') }),
  example: z.string({ error: missingOr('must be a text of YAML') }),
  read: method,
  want: method,
  apply: method,
  refuses: method.optional(),
  react: method.optional(),
  provides: method.optional(),
  path: method.optional(),
  takes: method.optional(),
  needs: method.optional(),
  answers: method.optional(),
  uncertain: method.optional(),
  goesUnguarded: method.optional(),
  says: method.optional(),
  treeFiles: z.array(z.string()).optional(),
  treeFileLists: z.array(z.string()).optional(),
  treeDirectories: z.array(z.string()).optional(),
  pillarPaths: z.array(z.string()).optional(),
  textAttribute: z.string().optional(),
  digests: z.array(z.string()).optional(),
  modeArgument: z.string().optional(),
  publishes: z.string().optional(),
  needsGuard: flag,
  oneShot: flag,
  isDerived: flag,
  isRelative: flag,
  awaits: flag,
});

/** Holds what a module has defined against what Conductor's own state types obey. */
export function judge(value: unknown): Judged {
  const found = definition.safeParse(value);
  if (!found.success) return { type: null, faults: faultsOf(found.error.issues) };
  const { name, schema, example } = found.data;
  const faults = [...schemaFaults(name, schema), ...exampleFaults(name, example)];
  if (faults.length > 0) return { type: null, faults };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every part of it has just been looked at; the kinds of its functions are for the guard to see
  return { type: value as StateType, faults: [] };
}

/** Whoever left a part out is not told that it has the wrong kind. */
function missingOr(wrong: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? 'is missing' : wrong);
}

/** A part that is missing because it is misspelt is told once. */
function faultsOf(issues: readonly z.core.$ZodIssue[]): Fault[] {
  const unknown = issues.filter(({ code }) => code === 'unrecognized_keys');
  return (unknown.length > 0 ? unknown : issues).flatMap(faultsIn);
}

function faultsIn(issue: z.core.$ZodIssue): Fault[] {
  const known = Object.keys(definition.shape);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      message: `a state type has no "${key}"`,
      help: hint(key, known, `it has ${known.join(', ')}`),
    }));
  }
  const [key = ''] = issue.path;
  if (key === '') return [{ message: 'a state type is an object', help: null }];
  return [{ message: `"${String(key)}" of a state type ${issue.message}`, help: null }];
}

/** Its manual, and that no argument passes unknown. */
function schemaFaults(name: string, schema: z.ZodType): Fault[] {
  const json = asJson(schema);
  if (typeof json === 'string') return [fault(`the schema of "${name}" cannot be used: ${json}`)];
  if (json.additionalProperties !== false) {
    const help = 'use z.strictObject({ … }), so that a misspelt argument is an error';
    return [fault(`the schema of "${name}" takes any argument`, help)];
  }
  const keys = schemaKeys(schema);
  const hasName = keys.has('name') ? [] : [fault(`the schema of "${name}" has no "name"`)];
  return [
    ...paragraphFaults(name, schema.description),
    ...hasName,
    ...Object.entries(json.properties).flatMap(([key, { description }]) =>
      explanationFaults(`the argument "${key}" of "${name}"`, description),
    ),
  ];
}

function paragraphFaults(name: string, description: string | undefined): Fault[] {
  if (/^\S[^]{20,}\.$/u.test(description ?? '')) return [];
  const help = 'end it with .describe("A sentence or more for the manual, with a period.")';
  if (description === undefined) return [fault(`the schema of "${name}" has no description`, help)];
  const message = `the description of the schema of "${name}" is no sentence of 22 or more characters`;
  return [fault(message, help)];
}

function explanationFaults(argument: string, description: string | undefined): Fault[] {
  if (/^.{5,}[^.]$/su.test(description ?? '')) return [];
  const help = 'end it with .describe("What it is for"), without a period';
  if (description === undefined) return [fault(`${argument} is not explained`, help)];
  const why = description.endsWith('.') ? 'ends in a period' : 'has fewer than 6 characters';
  return [fault(`the description of ${argument} ${why}`, help)];
}

const shape = z.object({
  additionalProperties: z.unknown().optional(),
  properties: z.record(z.string(), z.object({ description: z.string().optional() })).default({}),
});

/** What is wrong with it as text. */
function asJson(schema: z.ZodType): z.infer<typeof shape> | string {
  try {
    return shape.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  } catch (error) {
    return messageOf(error);
  }
}

function exampleFaults(name: string, example: string): Fault[] {
  if (example.includes(`${name}:`)) return [];
  const help = 'it is a small state file that the manual shows';
  return [fault(`the example of "${name}" does not use it`, help)];
}

function fault(message: string, help: string | null = null): Fault {
  return { message, help };
}
