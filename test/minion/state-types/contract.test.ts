import { readdirSync } from 'node:fs';
import test from 'ava';
import { load } from 'js-yaml';
import { z } from 'zod';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';

const types = [...stateTypes.values()];

/** The argument schemas of a type, by name. */
function fieldsOf({ name, schema }: StateType): [string, z.ZodType][] {
  const outer = schema instanceof z.ZodPipe ? schema.in : schema;
  if (!(outer instanceof z.ZodObject)) throw new Error(`the schema of ${name} is no object`);
  const shape: Readonly<Record<string, unknown>> = outer.shape;
  return Object.entries(shape).map(([field, part]) => {
    if (!(part instanceof z.ZodType)) throw new Error(`${name} has no schema for "${field}"`);
    return [field, part];
  });
}

/** What the example of a type declares for it: the identifiers with their arguments. */
function examplesOf({
  name,
  example,
}: Pick<StateType, 'example'> & { name: string }): { id: string; args: object }[] {
  const states = z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown())));
  return Object.entries(states.parse(load(example))).flatMap(([id, functions]) => {
    const args = functions[name];
    return args === undefined ? [] : [{ id, args }];
  });
}

/** Arguments that every state takes and that the compiler keeps to itself. */
const EVERYWHERE = new Set(
  'require require_any watch watch_any onchanges onfail prereq listen use unless onlyif creates retry order failhard when each'.split(
    ' ',
  ),
);

test('holds the state types that trees may use, each under its own name', (t) => {
  t.true(types.length >= 20);
  for (const [name, type] of stateTypes) {
    t.true(type.name === name);
    t.regex(name, /^[a-z_]+\.[a-z_]+$/);
  }
});

test('every state type that a module defines is in the registry, and no two have one name', async (t) => {
  const directory = new URL('../../../minion/state-types/', import.meta.url);
  const files = readdirSync(directory).filter((file) => /^[a-z-]+\.js$/.test(file));
  const defined: string[] = [];
  for (const file of files.filter((file) => file !== 'index.js')) {
    const module: unknown = await import(new URL(file, directory).href);
    for (const value of Object.values(Object(module))) {
      const { name, schema, read } = Object(value);
      if (typeof name === 'string' && schema instanceof z.ZodType && read) defined.push(name);
    }
  }
  t.deepEqual(defined.toSorted(), [...stateTypes.keys()].toSorted());
});

for (const type of types) {
  test(`${type.name} refuses an argument that it does not know`, (t) => {
    const parsed = type.schema.safeParse({ name: 'x', sosurce: 'x' });
    t.false(parsed.success);
    const unknown = parsed.error?.issues.filter(({ code }) => code === 'unrecognized_keys');
    t.deepEqual(
      unknown?.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [])),
      ['sosurce'],
    );
  });

  test(`${type.name} has a paragraph for the manual and explains every argument`, (t) => {
    t.regex(type.schema.description ?? '', /^[A-Z][^]{20,}\.$/);
    const fields = fieldsOf(type);
    t.true(fields.some(([name]) => name === 'name'));
    for (const [name, field] of fields) {
      t.regex(field.description ?? '', /^.{5,}$/s, `${type.name}: ${name} is not explained`);
      t.notRegex(field.description ?? '', /\.$/, `${type.name}: ${name} ends with a period`);
    }
  });

  test(`${type.name} can be described to an editor`, (t) => {
    const described = z.toJSONSchema(type.schema, { io: 'input', unrepresentable: 'any' });
    t.is(described.type, 'object');
    t.is(described.additionalProperties, false);
    t.deepEqual(
      Object.keys(described.properties ?? {}),
      fieldsOf(type).map(([name]) => name),
    );
  });

  test(`${type.name} accepts its own example`, (t) => {
    const examples = examplesOf(type);
    t.true(examples.length > 0, 'the example does not use the type');
    for (const { id, args } of examples) {
      const own = Object.entries(args).filter(([name]) => !EVERYWHERE.has(name));
      const declared = { name: id, ...Object.fromEntries(own) };
      t.deepEqual(issuesOf(type, declared), []);
      const parsed = type.schema.parse(declared);
      for (const resource of [...(type.provides?.(parsed) ?? []), ...(type.needs?.(parsed) ?? [])])
        t.regex(resource, /^[a-z-]+(?::.+)?$/);
    }
  });
}

/** What a schema finds wrong; files of a tree are left to the compiler, which puts them in. */
function issuesOf(type: StateType, declared: object): string[] {
  const { error } = type.schema.safeParse(declared);
  const files = new Set(type.treeFiles);
  return (error?.issues ?? [])
    .filter(({ path }) => !files.has(String(path[0])))
    .map(({ path, message }) => `${path.join('.')}: ${message}`);
}
