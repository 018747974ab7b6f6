import test from 'ava';
import { z } from 'zod';
import { sparingAbsent } from '../../../language/states/absent.ts';

test('an argument that is missing is not held against its schema; all others are', (t) => {
  const asked: unknown[] = [];
  const noting = z.custom<number>((value) => {
    asked.push(value);
    return typeof value === 'number';
  });
  const schema = sparingAbsent(
    z
      .strictObject({
        given: noting.exactOptional().describe('Is there'),
        missing: noting.exactOptional(),
        filled: z.string().default('x').exactOptional(),
        needed: z.string(),
      })
      .refine(({ given }) => given !== 2),
  );
  t.deepEqual(schema.parse({ given: 1, needed: 'y' }), { given: 1, filled: 'x', needed: 'y' });
  t.deepEqual(asked, [1]);
  t.is(sparingAbsent(schema), schema);
  const { error } = schema.safeParse({ given: 'a', other: 1 });
  const paths = error?.issues.map(({ path, code }) => [code, path.join('.')]);
  t.deepEqual(paths?.toSorted(), [
    ['custom', 'given'],
    ['invalid_type', 'needed'],
    ['unrecognized_keys', ''],
  ]);
});
