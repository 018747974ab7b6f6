import { DRAFT, either, EXPRESSION, type JsonSchema } from './json-schema.ts';
import { scheduleSchema } from './schedule-schema.ts';

const TARGET =
  'Who gets it: an id or a group, a glob, [a, b], re:PATTERN, facts.KEY:GLOB, pillar.KEY:GLOB, net:CIDR, with and, or, not, ( )';
const PILLAR_TARGET = 'Who sees it: an id, a group or a glob, with and, or, not, ( )';

/** The JSON Schema of a top file; that of pillars knows ids and groups only. */
export function topFileSchema(folder: 'states' | 'pillars' = 'states'): JsonSchema {
  const what = folder === 'states' ? 'state' : 'pillar';
  const file = { type: 'string', description: `The name of a ${what} file: a.b, or a glob` };
  const matcher = { type: 'object', properties: { match: { type: 'string' } } };
  return {
    $schema: DRAFT,
    title: 'A top file of Conductor',
    description: `Which minions get which ${what} files.`,
    type: ['object', 'null'],
    properties: {
      base: {
        description: `Maps targets to names of ${what} files`,
        type: ['object', 'null'],
        additionalProperties: {
          description: folder === 'states' ? TARGET : PILLAR_TARGET,
          ...either({ type: 'array' }, { items: either({ type: 'object' }, matcher, file) }, file),
        },
      },
    },
    additionalProperties: false,
  };
}

/** How a mapping of a pillar may change what other files say. */
const MAPPING: JsonSchema = {
  patternProperties: {
    '^\\+.': {
      description: 'Items that are added to the list of this name',
      anyOf: [{ type: 'array', items: { $ref: '#/definitions/value' } }, EXPRESSION],
    },
    '^-.': {
      description: 'What is taken out of the value of this name; nothing takes it out whole',
    },
    '^(?:__proto__|constructor|prototype|<<)$': false,
  },
  additionalProperties: { $ref: '#/definitions/value' },
};

/** The JSON Schema of pillar files: data of any shape, and how one file changes what others say. */
export function pillarSchema(): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'A pillar file of Conductor',
    description: 'Data of minions; files are merged in the order in which top.yaml lists them.',
    ...either({ type: 'object' }, { $ref: '#/definitions/pillar' }, { type: 'null' }),
    definitions: {
      pillar: { ...MAPPING, properties: { schedule: scheduleSchema() } },
      mapping: MAPPING,
      value: either({ type: 'object' }, { $ref: '#/definitions/mapping' }),
    },
  };
}
