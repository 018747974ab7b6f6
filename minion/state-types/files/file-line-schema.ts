import { z } from 'zod';
import { fileMode } from '../lib/fields.ts';
import { editFields, ownerFields } from './lib/edit-fields.ts';
import { pattern } from './lib/pattern.ts';

const PLACE = 'A part of the one line, or a regular expression if no line holds it as it is';

export const lineSchema = z
  .strictObject({
    ...editFields,
    mode: z
      .enum(['ensure', 'replace', 'delete', 'insert'])
      .describe(
        'What is done: `ensure` (the content is somewhere beyond `after` or `before`), `insert` (it is exactly there), `replace` or `delete` (the lines that match)',
      ),
    content: z
      .union([z.string(), z.number()])
      .transform(String)
      .exactOptional()
      .describe('The line; several are fine'),
    match: pattern
      .exactOptional()
      .describe(
        'Which lines are replaced or deleted: a part of them, or a regular expression if no line holds it as it is; `content` if absent',
      ),
    before: pattern.exactOptional().describe(`${PLACE}: the content stands before it`),
    after: pattern.exactOptional().describe(`${PLACE}: the content stands after it`),
    location: z
      .enum(['start', 'end'])
      .exactOptional()
      .describe('Where in the file it is inserted, in place of `before` and `after`'),
    indent: z
      .boolean()
      .default(true)
      .describe('Whether the content takes the indentation of the line it replaces or stands by'),
    create: z.boolean().default(false).describe('Whether a file that does not exist is made'),
    quiet: z
      .boolean()
      .default(false)
      .describe('Whether it is fine if the file, or the place in it, does not exist'),
    ...ownerFields,
    file_mode: fileMode.exactOptional().describe('Permissions of the file'),
  })
  .refine(
    ({ mode, content, match }) =>
      (content ?? match) !== undefined && (mode === 'delete' || content !== undefined),
    {
      error: 'needs `content`',
      path: ['content'],
    },
  )
  .refine(({ mode, match }) => match === undefined || mode === 'replace' || mode === 'delete', {
    error: 'is for `replace` and `delete` only; `before` and `after` tell a place',
    path: ['match'],
  })
  .refine(
    ({ mode, before, after }) =>
      mode === 'insert' || mode === 'ensure' || (before ?? after) === undefined,
    {
      error: '`before` and `after` are for `insert` and `ensure` only',
      path: ['mode'],
    },
  )
  .refine(({ mode, location }) => location === undefined || mode === 'insert', {
    error: 'is for `insert` only',
    path: ['location'],
  })
  .refine(
    ({ mode, before, after, location }) =>
      mode === 'replace' ||
      mode === 'delete' ||
      ((before ?? after) === undefined) !== (location === undefined),
    {
      error: 'needs a place: `before`, `after` or both, or (to insert) `location`',
      path: ['mode'],
    },
  )
  // A mode is what is done here; the permissions are `file_mode`.
  .transform(({ mode: action, ...args }) => ({ ...args, action }))
  .describe(
    'One line of a text file: ensured, inserted, replaced or deleted. A place is told by a part of a line ' +
      'or a regular expression and must be one line and no more; where it is not, nothing is changed.',
  );

export type LineArgs = z.infer<typeof lineSchema>;
