import { z } from 'zod';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import { EXPOSED, absolutePath, accountReference, idleArgument } from '../lib/fields.ts';

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

const STRIP = /(?:^|\s)--strip(?:-components)?[= ](?<count>\d+)(?=\s|$)/u;
/** Options that say only what is found out anyway: how it is packed, and that it is to be unpacked. */
const NEEDLESS = /^(?:-?[xvzjJfp]+|--(?:extract|verbose|gzip|bzip2|xz|preserve-permissions))$/u;

const options = z.string().refine(
  (text) =>
    text
      .replace(STRIP, '')
      .split(/\s+/u)
      .every((word) => word === '' || NEEDLESS.test(word)),
  {
    error: 'of the options of tar only --strip-components=N means something here',
  },
);

const fields = {
  name: absolutePath.describe('The directory that it is unpacked into; made if it is missing'),
  source: z
    .union([source, z.array(source).min(1)])
    .describe(
      'The archive: a file below templates/, a path on the host, or an http(s) URL; of a list, the first that is there',
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
  source_hash_update: z
    .boolean()
    .default(true)
    .describe('`false` leaves what was unpacked once alone when the archive is another one'),
  archive_format: z
    .enum(['tar', 'zip'])
    .exactOptional()
    .describe('`tar` (also packed by gzip, bzip2 or xz) or `zip`; found out if absent'),
  password: z
    .string()
    .min(1)
    .exactOptional()
    .describe('The password of an encrypted zip archive')
    .meta({ secret: true }),
  strip: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe('Leave out so many directories at the beginning of each path'),
  options: options
    .exactOptional()
    .describe('As for tar: `--strip-components=N`, which is the same as `strip`')
    .meta(EXPOSED),
  enforce_toplevel: z
    .boolean()
    .default(true)
    .describe('Refuse an archive that does not hold a single directory, unless `strip` is given'),
  if_missing: absolutePath
    .exactOptional()
    .describe('Unpack only if nothing is at this path, and look at nothing else'),
  overwrite: z
    .boolean()
    .default(false)
    .describe('Also repair files whose content is no longer that of the archive'),
  force: z
    .boolean()
    .default(false)
    .describe('Delete a file where the archive has a directory, and the reverse'),
  clean: z
    .boolean()
    .default(false)
    .describe('Whenever it is unpacked, delete first what has the names of its top level'),
  clean_parent: z
    .boolean()
    .default(false)
    .describe('Whenever it is unpacked, delete first all that is in the directory'),
  user: accountReference.exactOptional().describe('Owner of what is unpacked; root if absent'),
  group: accountReference.exactOptional().describe('Group of what is unpacked; root if absent'),
  extract_perms: z
    .boolean()
    .default(true)
    .describe('Whether files get the permissions that the archive has for them'),
  trim_output: idleArgument('what is unpacked is not listed'),
  skip_files_list_verify: idleArgument('an archive is read once, and only if it is another one'),
  list_options: idleArgument('no program is asked what an archive holds'),
  use_cmd_unzip: idleArgument('no program is needed to unpack one'),
  enforce_ownership_on: idleArgument('owners are looked at wherever they are named'),
  use_etag: idleArgument('a download is known by its hash'),
};

/** Arguments of `archive.extracted`. */
export const archiveSchema = z
  .strictObject(fields)
  .refine(
    (args) => !needsDigest(args.source) || args.source_hash !== undefined || args.skip_verify,
    {
      error: 'a download needs a `source_hash` (or skip_verify: true)',
      path: ['source'],
    },
  )
  .refine(({ strip, options: given }) => strip === undefined || given === undefined, {
    error: 'say either `strip` or `options`',
    path: ['options'],
  })
  .describe(
    'What a tar or zip archive holds is in a directory. It is unpacked aside and then put in place, so a new directory ' +
      'appears whole. A file that is missing, or another archive, has it unpacked again; files beyond those of the ' +
      'archive are left alone. An archive that is damaged, would write outside of the directory, or holds devices or setuid ' +
      'programs, is refused before anything is put in place.',
  );

export type ArchiveArgs = z.infer<typeof archiveSchema>;

/** How many directories are left out at the beginning of each path. */
export function stripOf({ strip, options: given }: Pick<ArchiveArgs, 'strip' | 'options'>): number {
  return strip ?? Number(STRIP.exec(given ?? '')?.groups?.['count'] ?? 0);
}

function needsDigest(value: unknown): boolean {
  const sources: readonly unknown[] = Array.isArray(value) ? value : [value];
  return sources.some((one) => typeof one === 'string' && /^https?:/u.test(one));
}
