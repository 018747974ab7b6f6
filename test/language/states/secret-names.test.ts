import test from 'ava';
import { z } from 'zod';
import { secretNamesOf } from '../../../language/states/secret-names.ts';

function namesIn(schema: z.ZodType): ReadonlySet<string> {
  return secretNamesOf({ schema });
}

test('finds secret arguments wherever a schema hides them', (t) => {
  const secret = z.string().meta({ secret: true });
  const flat = z.strictObject({ a: secret, b: z.string() });
  const optional = z.strictObject({
    a: z.string().meta({ secret: true }).exactOptional(),
    b: secret,
  });
  const piped = flat.transform((args) => args).pipe(z.any());
  const union = z.union([z.strictObject({ c: secret }), z.strictObject({ d: z.string() })]);
  t.deepEqual([...namesIn(flat)], ['a']);
  t.deepEqual([...namesIn(optional)], ['a', 'b']);
  t.deepEqual([...namesIn(piped)], ['a']);
  t.deepEqual([...namesIn(union)], ['c']);
  t.deepEqual([...namesIn(flat.refine(() => true))], ['a']);
});
