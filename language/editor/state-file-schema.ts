import { moduleOf } from '../states/arguments.ts';
import { PARAM_TYPES } from '../states/params.ts';
import { WORD_MANUAL } from '../states/word-manual.ts';
import { COMMON_WORDS } from '../states/words.ts';
import type { StateSchema, StateSchemas } from '../state-schema.ts';
import { commonWords } from './common-words.ts';
import {
  DRAFT,
  either,
  EXPRESSION,
  isRecord,
  orAnyText,
  writtenSchema,
  type JsonSchema,
} from './json-schema.ts';

/** The JSON Schema of state files: for completion, hover texts and diagnostics in editors. */
export function stateFileSchema(states: StateSchemas): JsonSchema {
  const types = [...states.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    $schema: DRAFT,
    title: 'A state file of Conductor',
    description: 'Its keys are IDs of states; below each stand states as `module.function`.',
    type: ['object', 'null'],
    properties: fileWords(),
    additionalProperties: ref('id'),
    definitions: {
      id: idSchema(types, { isExtension: false }),
      extension: idSchema(types, { isExtension: true }),
      file: { type: 'string', description: 'The name of a state file: a.b, or .b beside this one' },
      ...Object.fromEntries(types.map((type) => [type.name, argumentsSchema(type)])),
      ...commonWords(),
    },
  };
}

function ref(name: string): JsonSchema {
  return { $ref: `#/definitions/${name}` };
}

function fileWords(): JsonSchema {
  const one = either({ type: 'object' }, includeSchema(), ref('file'));
  const includes = either({ type: 'object', required: ['base'] }, saltIncludeSchema(), one);
  return {
    include: {
      description: 'State files whose states come before those of this one',
      anyOf: [ref('file'), { type: 'array', items: includes }],
    },
    extend: {
      description:
        'Arguments for states of included files: requisites are added, the rest replaced',
      type: 'object',
      additionalProperties: ref('extension'),
    },
    exclude: {
      description: 'States or files that are left out: {id: ID}, {file: NAME}',
      type: ['array', 'object', 'string'],
    },
    params: {
      description: 'What this file must or may be given, by name',
      type: 'object',
      additionalProperties: paramSchema(),
    },
    ...loopWords(),
  };
}

function loopWords(): JsonSchema {
  return Object.fromEntries(['each', 'as', 'when'].map((word) => [word, ref(word)]));
}

function includeSchema(): JsonSchema {
  return {
    type: 'object',
    required: ['file'],
    properties: {
      file: ref('file'),
      params: { type: ['object', 'string'], description: 'What the file is given, by name' },
      ...loopWords(),
    },
    additionalProperties: false,
  };
}

/** Salt's `- base: a.b`, which files of its kind may hold. */
function saltIncludeSchema(): JsonSchema {
  return { properties: { base: ref('file') }, additionalProperties: false };
}

function paramSchema(): JsonSchema {
  const type = { enum: PARAM_TYPES, description: 'What kind of value it is' };
  const full = {
    type: 'object',
    properties: { type, default: { description: 'Its value if none is given' } },
    additionalProperties: false,
  };
  return { anyOf: [type, full] };
}

/** Below an ID: `module.function` keys, Salt's `module: [function]`, or one type alone. */
function idSchema(
  types: readonly StateSchema[],
  { isExtension }: { readonly isExtension: boolean },
): JsonSchema {
  const names = types.map(({ name }) => name);
  const states = {
    type: 'object',
    properties: {
      ...Object.fromEntries(types.map((type) => [type.name, stateSchema(type, isExtension)])),
      ...loopWords(),
    },
    patternProperties: Object.fromEntries(
      [...new Set(names.map(moduleOf))].map((module) => [
        `^${module}$`,
        shortForm(names.filter((name) => moduleOf(name) === module)),
      ]),
    ),
    additionalProperties: false,
  };
  return either({ type: 'string' }, { enum: names }, states);
}

function shortForm(names: readonly string[]): JsonSchema {
  const verb = { enum: names.map((name) => name.slice(name.indexOf('.') + 1)) };
  const items = either({ type: 'string' }, verb, { type: 'object' });
  return either({ type: 'string' }, verb, { type: ['array', 'object'], items });
}

/** A state's arguments: a mapping, Salt's list of one-key mappings, nothing, or an expression. */
function stateSchema(type: StateSchema, isExtension: boolean): JsonSchema {
  const closed = ref(type.name);
  const required = isExtension ? [] : requiredOf(type);
  const mapping =
    required.length === 0
      ? closed
      : either({ anyOf: [{ required: ['use'] }, { required: ['names'] }] }, closed, {
          allOf: [closed, { required }],
        });
  return {
    ...(isExtension ? {} : manualOf(type)),
    ...either(
      { type: 'array' },
      { items: closed },
      either({ type: 'string' }, EXPRESSION, mapping),
    ),
  };
}

/** What is shown for the name of the state: its paragraph, with the example below it. */
function manualOf({ schema, example }: StateSchema): JsonSchema {
  const { description = '' } = schema;
  if (example === undefined) return { description };
  const markdownDescription = `${description}\n\n\`\`\`yaml\n${example.trimEnd()}\n\`\`\``;
  return { description, markdownDescription };
}

function requiredOf({ schema }: StateSchema): readonly string[] {
  const forms = objectsIn(writtenSchema(schema));
  const lists = forms.map(({ required }) => (Array.isArray(required) ? required.map(String) : []));
  const [first = []] = lists;
  return first.filter((name) => name !== 'name' && lists.every((list) => list.includes(name)));
}

function argumentsSchema(type: StateSchema): JsonSchema {
  const own = ownArguments(type);
  const common = COMMON_WORDS.filter((word) => !Object.hasOwn(own, word));
  return {
    type: ['object', 'null'],
    properties: {
      ...own,
      ...Object.fromEntries(common.map((word) => [word, ref(word)])),
      ...('name' in own ? { name: named(own['name']) } : {}),
    },
    patternProperties: { '\\{\\{': {} },
    additionalProperties: false,
  };
}

/** Where a file of the tree may be named, any text may stand: what it becomes is checked later. */
function ownArguments(type: StateSchema): JsonSchema {
  const { schema, treeFiles = [], treeFileLists = [], treeDirectories = [] } = type;
  const written = objectsIn(writtenSchema(schema)).map(({ properties }) => properties);
  const own = written.filter(isRecord).reduce((all, each) => ({ ...each, ...all }), {});
  const files = [...treeFiles, ...treeFileLists, ...treeDirectories].filter((name) => name in own);
  const opened = files.map((name) => [name, orAnyText(own[name])] as const);
  return { ...own, ...Object.fromEntries(opened) };
}

function named(own: unknown): unknown {
  return isRecord(own) && 'description' in own
    ? own
    : { description: WORD_MANUAL.get('name'), ...(isRecord(own) ? own : {}) };
}

function objectsIn(schema: JsonSchema): readonly JsonSchema[] {
  const { anyOf, type } = schema;
  if (type === 'object') return [schema];
  return Array.isArray(anyOf) ? anyOf.filter(isRecord).flatMap(objectsIn) : [];
}
