import test from 'ava';
import { z } from 'zod';
import { describe, schemaOf, typesAnswer } from '../../language/described-types.ts';

const schema = z
  .strictObject({
    name: z.string().describe('What it is called'),
    count: z.int().min(1).optional().describe('How many there are'),
  })
  .describe('A thing that is there.');

const TYPE = { name: 'my.type', schema, example: 'x: my.type\n', treeFiles: ['source'] } as const;

test('a state type survives as data: its arguments are known by name, kind and limits', (t) => {
  const described = describe(TYPE);
  const answer = typesAnswer.parse(
    JSON.parse(JSON.stringify({ problems: [], types: [described] })),
  );
  const [again] = answer.types;
  if (again === undefined) throw new Error('it is not there');
  const type = schemaOf(again);
  t.is(type.name, 'my.type');
  t.deepEqual(type.treeFiles, ['source']);
  t.true(type.schema.safeParse({ name: 'x', count: 2 }).success);
  t.false(type.schema.safeParse({ name: 'x', count: 0 }).success);
  t.false(type.schema.safeParse({ name: 'x', cuont: 2 }).success);
  t.false(type.schema.safeParse({}).success);
});

test('what only its code can tell does not cross', (t) => {
  const whole = { ...TYPE, read: () => null, apply: () => null };
  const described = describe(whole);
  t.deepEqual(Object.keys(described).toSorted(), ['example', 'name', 'schema', 'treeFiles']);
});
