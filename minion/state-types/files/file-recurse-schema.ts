import { z } from 'zod';
import { isTreeDirectory } from '../../../shared/tree-file.ts';
import type { TreeDirectory } from '../../../shared/tree-file.ts';
import { absolutePath, fileMode, idleArgument, refusedArgument } from '../lib/fields.ts';
import { pathPatterns } from './lib/choose.ts';
import { isOfSystem } from './lib/clean.ts';
import { editFields, ownerFields, templateFields } from './lib/edit-fields.ts';

const FILES_ONLY = 'a tree holds files, and links within it are the files that they lead to';

export const recurseSchema = z
  .strictObject({
    name: absolutePath.describe('Where the directory is'),
    source: z
      .custom<TreeDirectory>(isTreeDirectory, { error: 'expected a directory below templates/' })
      .meta({ type: 'string' })
      .describe(
        'A directory below templates/; files that end in .hbs are rendered, and named without it',
      ),
    ...ownerFields,
    dir_mode: fileMode
      .exactOptional()
      .describe('Permissions of the directories; new ones get 0755 if absent'),
    file_mode: z
      .union([z.literal('keep'), fileMode])
      .exactOptional()
      .describe(
        'Permissions of the files; `keep` for those that they have in the tree; new ones get 0644 if absent, those that hold a secret 0600',
      ),
    clean: z
      .boolean()
      .default(false)
      .describe(
        'Whether all goes that is neither in the source nor brought about by another state',
      ),
    include_pat: pathPatterns
      .default([])
      .describe(
        'Only these files: globs, or regular expressions with E@ before them, for paths below the source',
      ),
    exclude_pat: pathPatterns
      .default([])
      .describe('Not these files; `clean` lets them stay where they are there already'),
    maxdepth: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('How deep the source is looked through; 0 is only what is directly in it'),
    replace: z
      .boolean()
      .default(true)
      .describe('`false` puts files where there are none and leaves later changes alone'),
    backup: editFields.backup,
    ...templateFields,
    keep_source: idleArgument('no copy of the source is kept'),
    makedirs: idleArgument('missing directories are always made'),
    include_empty: refusedArgument(FILES_ONLY),
    keep_symlinks: refusedArgument(FILES_ONLY),
    force_symlinks: refusedArgument(FILES_ONLY),
    sym_mode: refusedArgument(FILES_ONLY),
  })
  .refine(({ clean, name }) => !clean || !isOfSystem(name), {
    error: 'is not for a directory that the system fills',
    path: ['clean'],
  })
  .describe(
    'All files below a directory of the tree, in a directory of the host. Missing directories are made, also ' +
      'those above it. Each file is replaced in one step.',
  );

/** What is declared, and what other declarations bring about below it. */
export type RecurseArgs = z.infer<typeof recurseSchema> & { readonly kept?: readonly string[] };
