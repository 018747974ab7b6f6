import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import { fileMode, idleArgument, refusedArgument } from '../lib/fields.ts';
import type { Settled } from '../../../shared/surroundings.ts';
import { said } from '../lib/said.ts';
import { closed } from '../lib/secrecy.ts';
import { fileSettled, ownersSettled, settled } from '../lib/settled.ts';
import { dirMode, editFields, makedirs, ownerFields } from './lib/edit-fields.ts';
import { checkFields } from './lib/check-fields.ts';
import { isDataMapping } from './lib/data.ts';
import type { Data } from './lib/data.ts';
import { deserialized, merged, serialized } from './lib/serializers.ts';
import type { Format } from './lib/serializers.ts';
import { refuseEdit } from './lib/edited-text.ts';
import { defineEdit } from './lib/text-edit.ts';

const format = z.enum(['json', 'yaml', 'toml', 'ini', 'configparser'], {
  error:
    'expected json, yaml, toml or ini: what has another format is a file below templates/, for file.managed',
});

/** A mapping, or Salt's list of mappings. */
const options = z
  .union([
    z.record(z.string(), z.unknown()),
    z
      .array(z.record(z.string(), z.unknown()))
      .transform((parts) => Object.fromEntries(parts.flatMap(Object.entries<unknown>))),
  ])
  .pipe(
    z.strictObject({
      indent: z.int().min(0).max(16).exactOptional(),
      sort_keys: z.boolean().exactOptional(),
      default_flow_style: z.literal(false).exactOptional(),
      allow_unicode: z.literal(true).exactOptional(),
    }),
  );

const dataset = z.union([z.record(z.string(), z.json()), z.array(z.json())]);

const schema = z
  .strictObject({
    ...editFields,
    dataset: dataset.exactOptional().describe('The data, as a mapping or a list'),
    dataset_pillar: z
      .union([z.string(), dataset])
      .exactOptional()
      .describe('Where in the pillar the data is, as in settings:shop'),
    serializer: format.exactOptional().describe('The format: json (if absent), yaml, toml or ini'),
    formatter: format
      .exactOptional()
      .describe('The same as `serializer`, as older trees of Salt call it'),
    serializer_opts: options
      .exactOptional()
      .describe('`indent` (2 if absent; not for toml and ini), and `sort_keys` (true if absent)'),
    merge_if_exists: z
      .boolean()
      .default(false)
      .describe('Whether what the file holds already is kept, with the data over it'),
    create: z.boolean().default(true).describe('`false` manages the file only where it exists'),
    ...ownerFields,
    mode: fileMode
      .exactOptional()
      .describe('Permissions; new files get 0644 if absent, those that hold a secret 0600'),
    makedirs,
    dir_mode: dirMode,
    ...checkFields,
    tmp_dir: idleArgument('new content stands beside the file until it takes its place'),
    encoding: z.enum(['utf-8', 'utf8']).exactOptional().describe('Always UTF-8'),
    deserializer_opts: refusedArgument('what the file holds is read in the one way its format has'),
  })
  .refine(
    ({ dataset: data, dataset_pillar: pillar }) => (data === undefined) !== (pillar === undefined),
    {
      error: 'needs either `dataset` or `dataset_pillar`',
      path: ['dataset'],
    },
  )
  .refine(({ serializer, formatter }) => serializer === undefined || formatter === undefined, {
    error: 'is the same as `serializer`: give one of them',
    path: ['formatter'],
  })
  .refine((args) => !args.merge_if_exists || ![args.serializer, args.formatter].includes('toml'), {
    error:
      'is not for toml, which is written and never read: leave it out, and give all of the data',
    path: ['merge_if_exists'],
  })
  .describe(
    'A file that holds data as JSON, YAML, TOML or an INI file. Comments and the order of what the file holds do not ' +
      'last where it is merged.',
  );

export type SerializeArgs = z.infer<typeof schema>;

/** The text that holds the data, over what a text held before if that is asked for. */
function withData(text: string | null, args: SerializeArgs): string | null {
  if (text === null && !args.create) return null;
  const kind = args.serializer ?? args.formatter ?? 'json';
  const { indent = 2, sort_keys: isSorted = true } = args.serializer_opts ?? {};
  return serialized(dataFor(text, kind, args), { kind, indent, isSorted, args });
}

function dataFor(text: string | null, kind: Format, args: SerializeArgs): Data {
  const data = dataset.parse(args.dataset ?? args.dataset_pillar);
  if (!args.merge_if_exists || text === null || kind === 'toml') return data;
  const before = deserialized(text, kind, args);
  return isDataMapping(before)
    ? merged(before, data)
    : refuseEdit(args, 'it holds no mapping to merge with');
}

/** The whole text; `null` if there is none, which is told when it is to be written. */
function textOf(args: SerializeArgs): string | null {
  try {
    return withData(null, args);
  } catch (error) {
    if (error instanceof ConductorError) return null;
    throw error;
  }
}

/** With `merge_if_exists` others may have a part in it, and with `create: false` it need not be there. */
function settles(args: SerializeArgs): Settled {
  const text = args.merge_if_exists || !args.create ? null : textOf(args);
  if (text !== null) return fileSettled(args.name, text, said(args));
  return settled(`path:${args.name}`, { kind: 'file', ...ownersSettled(said(args)) });
}

export const fileSerialize = defineEdit({
  name: 'file.serialize',
  schema,
  example: `/etc/docker/daemon.json:
  file.serialize:
    dataset:
      log-driver: journald
      live-restore: true
    serializer: json
    merge_if_exists: true
`,
  pillarPaths: ['dataset_pillar'],
  modeArgument: 'mode',
  knowing: (args, { holdsSecret }) => (holdsSecret ? closed(args) : args),
  settles,
  edit: (text, args) => withData(text, args),
});
