import { refusedArgument } from '../lib/fields.ts';
import { z } from 'zod';
import { editFields } from './lib/edit-fields.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

export const keyValueSchema = z
  .strictObject({
    ...editFields,
    key: z.string().min(1).exactOptional().describe('The name of one setting'),
    value: scalar.exactOptional().describe('Its value'),
    key_values: z
      .record(z.string().min(1), scalar)
      .exactOptional()
      .describe('Several settings and their values'),
    separator: z
      .string()
      .regex(/^[^\n\r]+$/u, { error: 'expected a text on one line' })
      .default('=')
      .describe(
        'What stands between a name and its value; spaces around it are kept where they are',
      ),
    append_if_not_found: z
      .boolean()
      .default(false)
      .describe('Whether a setting that is not there is added at the end'),
    prepend_if_not_found: z
      .boolean()
      .default(false)
      .describe('Whether a setting that is not there is added at the beginning'),
    uncomment: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        'What begins a comment: a setting in a comment is made a line where there is no other',
      ),
    key_ignore_case: z.boolean().default(false).describe('Whether names are found in any case'),
    value_ignore_case: z.boolean().default(false).describe('Whether values are equal in any case'),
    count: z
      .int()
      .min(-1)
      .default(1)
      .describe('How many lines of one name are set; -1 (or 0) is all'),
    ignore_if_missing: z
      .boolean()
      .default(false)
      .describe('Whether it is fine if the file does not exist'),
    create_if_missing: z.boolean().default(false).describe('Whether a missing file is made'),
    search_only: refusedArgument('a dry run tells what differs'),
  })
  .refine(
    ({ key, value, key_values: all }) =>
      (all === undefined) === (key !== undefined && value !== undefined),
    {
      error: 'needs `key` and `value`, or `key_values`',
      path: ['key'],
    },
  )
  .refine((args) => !args.append_if_not_found || !args.prepend_if_not_found, {
    error: 'is either appended or prepended',
    path: ['prepend_if_not_found'],
  })
  .describe(
    'Settings in a file of lines such as `name = value`. A line that sets a name gets the value and keeps ' +
      'its spaces; a name that is not there is refused unless it is to be added.',
  );

export type KeyValueArgs = z.infer<typeof keyValueSchema>;
