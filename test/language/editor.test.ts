import test from 'ava';
import { z } from 'zod';
import { commonWords } from '../../language/editor/common-words.ts';
import { pillarSchema, topFileSchema } from '../../language/editor/data-schemas.ts';
import { EXPRESSION, isRecord, writtenSchema } from '../../language/editor/json-schema.ts';
import { stateFileSchema } from '../../language/editor/state-file-schema.ts';
import { WORD_MANUAL } from '../../language/states/word-manual.ts';
import { COMMON_WORDS } from '../../language/states/words.ts';
import { readSchedule } from '../../shared/schedule/read-schedule.ts';
import { toyStates } from '../helpers/toy-states.ts';

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, key) => (isRecord(found) ? found[key] : undefined), value);
}

test('every word that all states take is described, and only those', (t) => {
  t.deepEqual([...WORD_MANUAL.keys()].toSorted(), [...COMMON_WORDS].toSorted());
  for (const [word, text] of WORD_MANUAL) t.regex(text, /^[A-Z].{10,}[^.]$/u, word);
  const words = commonWords();
  for (const word of COMMON_WORDS) t.is(at(words, word, 'description'), WORD_MANUAL.get(word));
});

test('what is written may be an expression wherever not any text fits', (t) => {
  const schema = z.strictObject({
    text: z.string().describe('Any text'),
    path: z.string().startsWith('/'),
    loose: z.string().regex(/^a/iu),
    flag: z.boolean().default(true).describe('A flag'),
    count: z.int().min(1),
    kind: z.enum(['a', 'b']),
    list: z.array(z.int()),
    both: z.union([z.string(), z.array(z.string())]),
    custom: z.union([z.string(), z.custom((value) => value === 1)]),
    never: z.never({ error: 'cannot be' }).optional().describe('Refused: it cannot be'),
  });
  const [object] = [at(writtenSchema(schema), 'anyOf')].flat();
  const fields = at(object, 'properties');
  const text = { type: ['string', 'number'] };
  t.deepEqual(fields, {
    text: { ...text, description: 'Any text' },
    path: { anyOf: [{ ...text, pattern: '^\\/.*' }, EXPRESSION] },
    loose: text,
    flag: { default: true, description: 'A flag', anyOf: [{ type: 'boolean' }, EXPRESSION] },
    count: { anyOf: [{ type: 'integer', minimum: 1 }, EXPRESSION] },
    kind: { anyOf: [{ enum: ['a', 'b'] }, EXPRESSION] },
    list: {
      anyOf: [{ type: 'array', items: { anyOf: [{ type: 'integer' }, EXPRESSION] } }, EXPRESSION],
    },
    both: { anyOf: [text, { type: 'array', items: text }] },
    custom: text,
    never: {
      description: 'Refused: it cannot be',
      enum: [false],
      errorMessage: 'Refused: it cannot be',
      doNotSuggest: true,
    },
  });
});

test('the schema of state files knows the types, their arguments and short forms', (t) => {
  const schema = stateFileSchema(toyStates);
  const id = at(schema, 'definitions', 'id', 'else');
  for (const name of toyStates.keys()) t.truthy(at(id, 'properties', name), name);
  t.false(at(id, 'additionalProperties'));
  t.truthy(at(id, 'patternProperties', '^pkg$'));
  const managed = at(schema, 'definitions', 'file.managed');
  t.false(at(managed, 'additionalProperties'));
  t.truthy(at(managed, 'properties', 'source'));
  t.deepEqual(at(managed, 'properties', 'require'), { $ref: '#/definitions/require' });
  for (const word of ['include', 'extend', 'exclude', 'params', 'each', 'as', 'when'])
    t.truthy(at(schema, 'properties', word), word);
});

test('top files have one key, pillars any but those that reach into the program', (t) => {
  t.deepEqual(Object.keys(Object(at(topFileSchema(), 'properties'))), ['base']);
  t.notDeepEqual(topFileSchema('pillars'), topFileSchema('states'));
  const patterns = at(pillarSchema(), 'definitions', 'mapping', 'patternProperties');
  t.deepEqual(Object.keys(Object(patterns)), [
    '^\\+.',
    '^-.',
    '^(?:__proto__|constructor|prototype|<<)$',
  ]);
});

test('the schedule of a pillar has the keys that are read, each with its meaning', (t) => {
  const schedule = at(pillarSchema(), 'definitions', 'pillar', 'properties', 'schedule');
  const keys = ['cron', 'at', 'every', 'timezone', 'splay', 'windows'];
  const all = [...keys, 'catch_up', 'timeout', 'on_failure'];
  t.deepEqual(Object.keys(Object(at(schedule, 'properties'))), all);
  t.false(at(schedule, 'additionalProperties'));
  for (const key of all) t.regex(String(at(schedule, 'properties', key, 'description')), /^[A-Z]/u);
  const { issues } = readSchedule({ nosuch: 1 });
  t.is(issues[0]?.help, `it may have: ${all.join(', ')}`);
});
