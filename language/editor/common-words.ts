import { COMMON_WORDS, guardSchema, isRequisiteWord } from '../states/words.ts';
import { WORD_MANUAL } from '../states/word-manual.ts';
import { EXPRESSION, isRecord, writtenSchema, type JsonSchema } from './json-schema.ts';

const reference: JsonSchema = {
  anyOf: [
    { type: ['string', 'number'] },
    { type: 'object', additionalProperties: { type: ['string', 'number'] }, maxProperties: 1 },
  ],
};

const OTHERS: Readonly<Record<string, JsonSchema>> = {
  name: { type: ['string', 'number'] },
  names: {
    anyOf: [{ type: 'array', items: { type: ['string', 'number', 'object'] } }, EXPRESSION],
  },
  each: { type: ['string', 'array', 'object'] },
  as: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  when: { type: ['string', 'boolean'] },
};

/** Definitions of the words that every state takes, by name. */
export function commonWords(): JsonSchema {
  const guards = writtenSchema(guardSchema)['anyOf'];
  const forms = Array.isArray(guards) ? guards.filter(isRecord) : [];
  const shapes = forms.map(({ properties }) => properties).find(isRecord) ?? {};
  return Object.fromEntries(
    COMMON_WORDS.map((word) => {
      const about = { description: WORD_MANUAL.get(word) ?? '' };
      return [word, { ...shapeOf(word, shapes), ...about }];
    }),
  );
}

function shapeOf(word: string, guards: JsonSchema): JsonSchema {
  if (isRequisiteWord(word)) {
    return { anyOf: [reference, { type: 'array', items: reference }] };
  }
  const guard = guards[word];
  const shape = isRecord(guard) ? guard : (OTHERS[word] ?? {});
  if (word === 'retry') return withListForm(shape);
  return word === 'unless' || word === 'onlyif' ? withFunctions(shape) : shape;
}

/** Commands, or in Salt's files functions such as `fun: file.file_exists`; or none. */
function withFunctions(shape: JsonSchema): JsonSchema {
  const command = { type: ['string', 'number'] };
  const called = { type: 'object', required: ['fun'] };
  return { ...shape, anyOf: [command, { type: 'array', items: { anyOf: [command, called] } }] };
}

/** `retry` may be written as Salt's list of one-key mappings. */
function withListForm(shape: JsonSchema): JsonSchema {
  const { anyOf } = shape;
  const forms: readonly unknown[] = Array.isArray(anyOf) ? anyOf : [shape];
  return { anyOf: [...forms, { type: 'array', items: { type: 'object' } }] };
}
