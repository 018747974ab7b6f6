import { z } from 'zod';
import { isTreeFile } from '../../../../shared/tree-file.ts';
import type { TreeFile } from '../../../../shared/tree-file.ts';
import { absolutePath, accountReference, fileMode } from '../../lib/fields.ts';

/** Arguments that several types of files share. */

/** The file whose text is edited, and what becomes of the old one. */
export const editFields = {
  name: absolutePath.describe('Which file is edited'),
  backup: z
    .union([
      z.boolean(),
      z.literal('minion'),
      z.string().regex(/^[.~][\w.~-]*$/u, { error: 'expected true, or an ending such as .bak' }),
    ])
    .default(false)
    .describe(
      'Whether the old content is kept: `true` keeps it below /var/backups/conductor, an ending such as .bak beside the file',
    ),
  show_changes: z
    .boolean()
    .default(true)
    .describe('`false` shows digests in place of the content that changes'),
};

/** For types that may make the file. */
export const ownerFields = {
  user: accountReference.exactOptional().describe('Owner, by name or number'),
  group: accountReference.exactOptional().describe('Group, by name or number'),
};

export const makedirs = z
  .boolean()
  .default(false)
  .describe('Whether missing directories above it are made');

export const dirMode = fileMode
  .exactOptional()
  .describe('Permissions of those directories; 0755 if absent');

/** A text, or a list of texts; numbers and booleans as they are written. */
const piece = z.union([z.string(), z.number(), z.boolean()]).transform(String);
export const texts = z
  .union([piece.transform((text) => [text]), z.array(piece)])
  .pipe(z.array(z.string()));

/** A file below `templates/`, which the compiler puts in place of its path. */
const treeFile = z.custom<TreeFile>(isTreeFile, {
  error: 'expected a file below templates/',
});
export const treeSource = treeFile.meta({ type: 'string' }).exactOptional();
export const treeSources = z
  .array(treeFile.meta({ type: 'string' }))
  .min(1)
  .exactOptional();

/** For types with a `source` of their own; the compiler has used these when the type sees the file. */
export const templateFields = {
  template: z
    .union([z.boolean(), z.string()])
    .refine((given) => typeof given === 'boolean' || ['handlebars', 'hbs'].includes(given), {
      error:
        'must be handlebars, true or false: templates are written in Handlebars here, also where Salt has jinja',
    })
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

/** The text of a file of the tree. */
export function treeText(file: TreeFile): string {
  return Buffer.from(file.read()).toString('utf8');
}
