import { z } from 'zod';
import { absolutePath, refusedArgument } from '../lib/fields.ts';
import { pattern } from './lib/pattern.ts';

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

const size = z
  .union([
    z.int().nonnegative(),
    z
      .string()
      .regex(/^\d+(?:\.\d+)?[bkmgt]?$/iu, { error: 'expected a size such as 100k, 10m or 1g' }),
  ])
  .transform((given) => {
    const [, number = '', unit = 'b'] = /^([\d.]+)([bkmgt]?)$/iu.exec(String(given)) ?? [];
    return Math.round(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
  });

const operator = z
  .string()
  .transform((word) => word.toUpperCase())
  .pipe(z.enum(['OR', 'AND']));

const patterns = z.union([pattern.transform((one) => [one]), z.array(pattern)]);

export const tidySchema = z
  .strictObject({
    name: absolutePath
      .refine((path) => path !== '/', { error: 'is the root directory' })
      .describe('The directory that is tidied'),
    age: z
      .number()
      .nonnegative()
      .exactOptional()
      .describe('How many days old a file must be to go; fractions are fine'),
    size: size
      .exactOptional()
      .describe('How large a file must be to go: bytes, or with k, m, g or t behind'),
    matches: patterns
      .default(['.*'])
      .describe(
        'What goes only if its name begins with a match of one of these regular expressions',
      ),
    exclude: patterns
      .default([])
      .describe('What stays because its name begins with a match of one of these'),
    full_path_match: z.boolean().default(false).describe('Whether names are whole paths there'),
    rmdirs: z
      .boolean()
      .default(false)
      .describe('Whether directories go as well, if they are old enough and nothing stays in them'),
    rmlinks: z.boolean().default(true).describe('Whether symbolic links go as well'),
    depth: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('How deep it looks; 0 is only what is directly in the directory'),
    time_comparison: z
      .enum(['atime', 'mtime', 'ctime'])
      .default('atime')
      .describe('What the age is counted from: the last reading, writing or change of status'),
    age_size_logical_operator: operator
      .default('OR')
      .describe('Whether age or size is enough, or both are needed (`AND`), where both are given'),
    followlinks: refusedArgument(
      'no symbolic link is followed, for anybody might have put it there',
    ),
  })
  .describe(
    'Nothing in a directory that is too old or too large. An age or size that is not given counts for nothing; ' +
      'without both, all that matches goes.',
  );

export type TidyArgs = z.infer<typeof tidySchema>;
