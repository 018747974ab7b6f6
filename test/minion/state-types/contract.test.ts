import { readdirSync } from 'node:fs';
import test from 'ava';
import { z } from 'zod';
import { compile } from '../../../language/compile.ts';
import type { Tree } from '../../../language/tree.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';

/** What examples take from the pillar. */
const PILLAR = {
  databases: { shop: { password: 'hunter2' }, openknesset: { password: 'hunter2' } },
};

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

test('holds the state types that trees may use, each under its own name', (t) => {
  t.true(types.length >= 20);
  for (const [name, type] of stateTypes) {
    t.true(type.name === name);
    t.regex(name, /^[a-z_]+\.[a-z_]+$/);
  }
});

test('every state type that a module defines is in the registry, and no two have one name', async (t) => {
  const directory = new URL('../../../minion/state-types/', import.meta.url);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const defined: string[] = [];
  for (const file of files.filter((file) => /^[a-z]+\/[a-z-]+\.js$/.test(file))) {
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

  test(`${type.name} has an example that compiles`, (t) => {
    const { declarations } = compile({
      tree: treeOf(type.example),
      minion: { id: 'web-01', groups: [] },
      facts: {},
      pillar: PILLAR,
      states: stateTypes,
      stateFiles: ['example'],
      params: {},
      allocatePort: () => 20_000,
    });
    const own = declarations.filter((declaration) => declaration.type === type.name);
    t.true(own.length > 0, 'the example does not use the type');
    for (const { args } of own) {
      for (const resource of [...(type.provides?.(args) ?? []), ...(type.needs?.(args) ?? [])])
        t.regex(resource, /^[a-z-]+(?::.+)?$/);
    }
  });
}

/** A tree of one state file; every template that it may name is there. */
function treeOf(states: string): Tree {
  return {
    revision: '0'.repeat(64),
    manifest: ['states/example.yaml', 'templates/nginx/snippets/ssl.conf'].map((path) => ({
      path,
      sha256: '0'.repeat(64),
      size: 0,
      mode: '0644',
    })),
    read(path) {
      if (path.startsWith('templates/')) return Buffer.from('content');
      return path === 'states/example.yaml' ? Buffer.from(states) : null;
    },
  };
}
