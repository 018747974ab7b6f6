import test from 'ava';
import { z } from 'zod';
import { fromKept, keptBytes, toKept } from '../../shared/kept-json.ts';

const schema = z.strictObject({ content: keptBytes.nullable() });

test('bytes come back as they were, whatever they are', (t) => {
  const content = new Uint8Array([0, 255, 10, 13, 34]);
  t.deepEqual(fromKept(schema, toKept(schema, { content })), { content });
  t.deepEqual(fromKept(schema, toKept(schema, { content: null })), { content: null });
});

test('what another version has kept is nothing', (t) => {
  t.is(fromKept(schema, Buffer.from('{"content":"AA==","more":1}')), null);
  t.is(fromKept(schema, null), null);
});
