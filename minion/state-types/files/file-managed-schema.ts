import { z } from 'zod';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import { absolutePath, fileMode, idleArgument, refusedArgument } from '../lib/fields.ts';
import { checkFields } from './lib/check-fields.ts';
import { fileAttributes } from './lib/file-attributes.ts';
import { editFields, ownerFields, templateFields, texts } from './lib/edit-fields.ts';

/** A path below `templates/` reaches the type as the file; a path of the host or a URL as text. */
const source = z.union([
  z.custom<TreeFile>(isTreeFile).meta({ type: 'string' }),
  z
    .string()
    .transform((text) => text.replace(/^file:\/\/(?=\/)/u, ''))
    .refine((text) => /^\/[^\0\n]*$|^https?:\/\/\S+$/u.test(text), {
      error:
        'expected a file below templates/, a path on the host from the root, or an http(s) URL',
    }),
]);

const sourceHash = z.union([
  z.custom<TreeFile>(isTreeFile).meta({ type: 'string' }),
  z
    .string()
    .transform((text) =>
      text.trim().replace(/^([a-z0-9]+) *([=:]) *(?=[0-9a-f]{32,128}$)/iu, '$1$2'),
    )
    .refine(
      (text) => /^\/[^\0\n]*$|^https?:\/\/\S+$|^(?:[a-z0-9]+[=:])?[0-9a-f]{32,128}$/iu.test(text),
      {
        error: 'expected a digest such as sha256=9f86…, or the URL or path of a file that holds it',
      },
    ),
]);

const content = {
  source: z
    .union([source, z.array(source).min(1)])
    .exactOptional()
    .describe(
      'A file below templates/ (rendered if it ends in .hbs), a path on the host, or an http(s) URL; of a list, the first that is there',
    ),
  source_hash: sourceHash
    .exactOptional()
    .describe('What a download must be: sha256=…, or the URL or path of a file that holds it'),
  source_hash_name: z
    .string()
    .exactOptional()
    .describe('The name to look for in a source_hash file, if it is not that of the source'),
  skip_verify: z
    .boolean()
    .default(false)
    .describe('Whether a download is used without a source_hash; then every run downloads it'),
  contents: texts.exactOptional().describe('The content itself, as a text or a list of lines'),
  contents_pillar: texts
    .exactOptional()
    .describe(
      'Where in the pillar the content is, as in certificates:shop:key; a list gives several',
    ),
  contents_newline: z
    .boolean()
    .default(true)
    .describe('Whether contents that do not end in a newline get one'),
  allow_empty: z
    .boolean()
    .default(true)
    .describe('`false` refuses contents that are empty, as those of a pillar may be'),
  ...templateFields,
  keep_source: idleArgument('no copy of a source is kept'),
  use_etag: idleArgument('a download is known by its hash'),
  contents_grains: refusedArgument(
    'facts are named in an expression, as in contents: "{{ facts.os }}"',
  ),
  encoding: z
    .enum(['utf-8', 'utf8'])
    .exactOptional()
    .describe('Always UTF-8; a source of any kind is copied byte for byte'),
};

const place = {
  name: absolutePath.describe('Where the file is'),
  ...ownerFields,
  mode: z
    .union([z.literal('keep'), fileMode])
    .exactOptional()
    .describe(
      'Permissions, or `keep` for those of the source; if absent new files get 0644, those that hold a secret 0600, and what comes from a file of the host that not everybody can read gets its permissions',
    ),
  attrs: fileAttributes
    .exactOptional()
    .describe('Exactly these letters of chattr, such as `i` for what not even root changes'),
  tmp_dir: idleArgument('new content stands beside the file until it takes its place'),
  makedirs: z
    .boolean()
    .default(false)
    .describe('Whether missing directories above it are made, with the same owners'),
  dir_mode: fileMode
    .exactOptional()
    .describe('Permissions of those directories; as `mode`, with the right to enter, if absent'),
  follow_symlinks: z
    .boolean()
    .default(true)
    .describe('Whether a symbolic link of root at this path is followed; otherwise it is replaced'),
};

const behaviour = {
  replace: z
    .boolean()
    .default(true)
    .describe('`false` gives the content to a new file only and leaves later changes alone'),
  create: z.boolean().default(true).describe('`false` manages the file only where it exists'),
  backup: editFields.backup,
  show_changes: editFields.show_changes,
  ...checkFields,
};

export const fileManagedSchema = z
  .strictObject({ ...place, ...content, ...behaviour })
  .refine((args) => originsOf(args).length <= 1, {
    error: 'a file has either `source`, `contents` or `contents_pillar`',
    path: ['contents'],
  })
  .refine(({ allow_empty: allowed, ...args }) => allowed || !isEmpty(args), {
    error: '`contents` are empty, which `allow_empty: false` refuses',
    path: ['contents'],
  })
  .refine(({ mode, source }) => mode !== 'keep' || source !== undefined, {
    error: '`keep` is for a file with a `source`',
    path: ['mode'],
  })
  .refine(
    (args) => !needsDigest(args.source) || args.source_hash !== undefined || args.skip_verify,
    {
      error: 'a download needs a `source_hash` (or skip_verify: true)',
      path: ['source'],
    },
  )
  .describe(
    'A regular file with this content, these owners and these permissions. Content is replaced in one ' +
      'step: whoever reads the file finds the old or the new one, never a part. Without `source` and ' +
      '`contents` the file only has to exist, and its content is left alone.',
  );

function originsOf(args: Readonly<Record<string, unknown>>): string[] {
  return ['source', 'contents', 'contents_pillar'].filter((name) => args[name] !== undefined);
}

interface Contents {
  readonly contents?: readonly string[];
  readonly contents_pillar?: readonly string[];
}

function isEmpty({ contents, contents_pillar: pillar }: Contents): boolean {
  return (contents ?? pillar)?.join('') === '';
}

function needsDigest(value: unknown): boolean {
  const sources: readonly unknown[] = Array.isArray(value) ? value : [value];
  return sources.some((one) => typeof one === 'string' && /^https?:/u.test(one));
}
