import { z } from 'zod';
import { absolutePath, fileMode } from '../lib/fields.ts';
import { pathPatterns } from './lib/choose.ts';
import { isOfSystem } from './lib/clean.ts';
import type { Elsewhere } from './lib/elsewhere.ts';
import { ownerFields } from './lib/edit-fields.ts';

const RECURSE = ['user', 'group', 'mode', 'ignore_files', 'ignore_dirs', 'silent'] as const;

const fields = {
  name: absolutePath.describe('Where the directory is'),
  ...ownerFields,
  mode: fileMode.exactOptional().describe('Permissions; a new directory gets 0755 if absent'),
  dir_mode: fileMode.exactOptional().describe('The same as `mode`, as Salt calls it'),
  file_mode: fileMode
    .exactOptional()
    .describe('Permissions of the files below it, with `recurse: [mode]`'),
  recurse: z
    .array(z.enum(RECURSE))
    .default([])
    .describe(
      'What all that is below it gets as well: `user`, `group`, `mode`; with `ignore_files` or `ignore_dirs`, directories or files only',
    ),
  max_depth: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe('How deep `recurse` goes; 0 is only what is directly in the directory'),
  children_only: z
    .boolean()
    .default(false)
    .describe(
      'Whether owners and permissions are for what is below the directory and not for itself',
    ),
  clean: z
    .boolean()
    .default(false)
    .describe(
      'Whether all goes that no other state of the tree brings about; what these bring about stays, with all that is below it',
    ),
  exclude_pat: pathPatterns
    .default([])
    .describe(
      'What `clean` lets stay: globs, or regular expressions with E@ before them, for paths below the directory',
    ),
  makedirs: z
    .boolean()
    .default(false)
    .describe('Whether missing directories above it are made, with the same owners'),
  follow_symlinks: z
    .boolean()
    .default(true)
    .describe('Whether a symbolic link of root at this path is followed'),
  allow_symlink: z
    .boolean()
    .default(true)
    .describe('`false` does not let a symbolic link stand at this path'),
  force: z
    .boolean()
    .default(false)
    .describe('Whether a file or link that stands at this path is removed to make room'),
  backupname: absolutePath
    .exactOptional()
    .describe('Where a file or link that stands at this path is moved to make room'),
};

export const directorySchema = z
  .strictObject(fields)
  .refine(({ mode, dir_mode: dirMode = mode }) => mode === undefined || dirMode === mode, {
    error: '`mode` and `dir_mode` are the same: give one of them',
    path: ['dir_mode'],
  })
  .refine((args) => args.recurse.every((what) => isSaid(what, args)), {
    error:
      'names something that is not given: `user`, `group` or one of `dir_mode` and `file_mode`',
    path: ['recurse'],
  })
  .refine(({ clean, max_depth: depth }) => !clean || depth === undefined, {
    error: 'and `clean` do not go together',
    path: ['max_depth'],
  })
  .refine(({ clean, name }) => !clean || !isOfSystem(name), {
    error: 'is not for a directory that the system fills',
    path: ['clean'],
  })
  .describe(
    'A directory with these owners and permissions, and with `recurse` everything below it too. ' +
      'Symbolic links below it are given the owners themselves and are never followed. Owners and permissions that another ' +
      'state declares for a path below it are left to that state; what a later state makes there without them gets these at the next run.',
  );

function isSaid(what: (typeof RECURSE)[number], args: Readonly<Record<string, unknown>>): boolean {
  if (what === 'mode') return (args['mode'] ?? args['dir_mode'] ?? args['file_mode']) !== undefined;
  return what === 'silent' || what.startsWith('ignore') || args[what] !== undefined;
}

/** What is declared, and what other declarations bring about and decide below it. */
export type DirectoryArgs = z.infer<typeof directorySchema> & {
  readonly kept?: readonly string[];
  readonly elsewhere?: readonly Elsewhere[];
  /** Files into which other declarations put secrets, anywhere. */
  readonly secretFiles?: readonly string[];
};
