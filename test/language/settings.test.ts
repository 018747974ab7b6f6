import test from 'ava';
import { z } from 'zod';
import { readSettings } from '../../language/settings/settings.ts';

const schema = z.strictObject({
  listen: z.string().default('a:1'),
  tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
  history: z.strictObject({ days: z.int().default(90) }).prefault({}),
});

function read(text: string, environment: Record<string, string> = {}, flags = {}) {
  const files = [{ path: 'x.yaml', bytes: new TextEncoder().encode(text) }];
  return readSettings(schema, { files, environment, prefix: 'X_', flags });
}

test('settings come from files, the environment and flags, the last one wins', (t) => {
  t.deepEqual(read(''), { listen: 'a:1', history: { days: 90 } });
  t.deepEqual(read('listen: f\nhistory: {days: 1}\n', { X_HISTORY_DAYS: '2' }, { listen: 'g' }), {
    listen: 'g',
    history: { days: 2 },
  });
});

test('mistakes in files, in the environment and in flags are told together, each with its place', (t) => {
  const error = t.throws(
    () => read('lisen: x\ntls:\n  certt: a\nhistory: [1]\n', { X_TLS_CERTT: 'c' }, { listen: 5 }),
    { code: 'CONFIG_INVALID' },
  );
  t.regex(error.message, /x\.yaml:1:1: unknown key "lisen", did you mean "listen"\?/u);
  t.regex(error.message, /x\.yaml:3:3: unknown key "tls\.certt", did you mean "cert"\?/u);
  t.regex(error.message, /x\.yaml:4:1: history: /u);
  t.regex(error.message, /environment variable X_TLS_CERTT: unknown setting/u);
  t.regex(error.message, /--listen: listen: /u);
});

test('a file that is no mapping, or no YAML, is told with its place', (t) => {
  t.throws(() => read('- a\n'), { message: /x\.yaml:1:1: expected a mapping of settings/u });
  t.throws(() => read('a: [1'), { message: /x\.yaml:1:\d+/u });
});
