import { z } from 'zod';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import { absolutePath, accountReference, fileMode } from '../lib/fields.ts';

/** A path below `templates/` reaches the type as the file; a path of the host or a URL as text. */
const source = z.union([
  z.custom<TreeFile>(isTreeFile).meta({ type: 'string' }),
  z.string().regex(/^\/[^\0\n]*$|^https?:\/\/\S+$/u, {
    error: 'expected a file below templates/, a path on the host from the root, or an http(s) URL',
  }),
]);

const sourceHash = z.union([
  z.custom<TreeFile>(isTreeFile).meta({ type: 'string' }),
  z.string().regex(/^\/[^\0\n]*$|^https?:\/\/\S+$|^(?:[a-z0-9]+[=:])?[0-9a-f]{32,128}$/iu, {
    error: 'expected a digest such as sha256=9f86…, or the URL or path of a file that holds it',
  }),
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
  contents: z
    .union([z.string(), z.array(z.string())])
    .exactOptional()
    .describe('The content itself, as a text or a list of lines'),
  contents_newline: z
    .boolean()
    .default(true)
    .describe('Whether `contents` that do not end in a newline get one'),
  template: z
    .union([z.boolean(), z.literal('handlebars')])
    .exactOptional()
    .describe(
      'Whether the source is rendered, where its name does not say so; `false` keeps a .hbs file as it is',
    ),
  context: z.record(z.string(), z.unknown()).exactOptional().describe('Values for the template'),
  defaults: z
    .record(z.string(), z.unknown())
    .exactOptional()
    .describe('Values for the template that `context` does not give'),
};

const place = {
  name: absolutePath.describe('Where the file is'),
  user: accountReference.exactOptional().describe('Owner, by name or number'),
  group: accountReference.exactOptional().describe('Group, by name or number'),
  mode: fileMode.exactOptional().describe('Permissions; new files get 0644 if absent'),
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
  backup: z
    .union([z.boolean(), z.literal('minion')])
    .default(false)
    .describe('Whether the content that is replaced is kept below /var/backups/conductor'),
  check_cmd: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .exactOptional()
    .describe(
      'A command line, or several, that must accept the new content before it is put in place: the path of a copy is its last argument',
    ),
  tmp_ext: z
    .string()
    .regex(/^\.[\w.-]+$/u)
    .exactOptional()
    .describe('How the name of that copy ends, where the command looks at it'),
  show_changes: z
    .boolean()
    .default(true)
    .describe('`false` shows digests in place of the content that changes'),
};

export const fileManagedSchema = z
  .strictObject({ ...place, ...content, ...behaviour })
  .refine(({ source, contents }) => source === undefined || contents === undefined, {
    error: 'a file has either `source` or `contents`',
    path: ['contents'],
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

function needsDigest(value: unknown): boolean {
  const sources: readonly unknown[] = Array.isArray(value) ? value : [value];
  return sources.some((one) => typeof one === 'string' && /^https?:/u.test(one));
}
