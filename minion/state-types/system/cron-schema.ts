import { z } from 'zod';
import { faultOfField } from '../../../shared/schedule/cron.ts';
import { EXPOSED, accountName, environment, singleLine } from '../lib/fields.ts';

export const FIELDS = ['minute', 'hour', 'daymonth', 'month', 'dayweek'] as const;
export type Field = (typeof FIELDS)[number];

const SPECIALS = [
  '@reboot',
  '@yearly',
  '@annually',
  '@monthly',
  '@weekly',
  '@daily',
  '@midnight',
  '@hourly',
];

/** What cron would not understand is refused before any host is touched. */
function field(name: Field) {
  return z
    .union([z.int().nonnegative(), z.string()])
    .transform(String)
    .superRefine((text, context) => {
      const fault = text === 'random' ? null : faultOfField(FIELDS.indexOf(name), text);
      if (fault !== null) context.addIssue({ code: 'custom', message: fault });
    })
    .exactOptional();
}

const command = singleLine.min(1).describe('The command').meta(EXPOSED);
const user = accountName.default('root').describe('Whose crontab it stands in');
const identifier = singleLine
  .min(1)
  .exactOptional()
  .describe(
    'What tells the line from others, even when its command changes; the command if absent',
  );

export const presentSchema = z
  .strictObject({
    name: command,
    user,
    identifier,
    minute: field('minute').describe('Minute; `random` is one that this host keeps'),
    hour: field('hour').describe('Hour of the day'),
    daymonth: field('daymonth').describe('Day of the month'),
    month: field('month').describe('Month of the year'),
    dayweek: field('dayweek').describe('Day of the week; 0 and 7 are Sunday'),
    special: z
      .enum(SPECIALS)
      .exactOptional()
      .describe('A word in place of the five fields, such as "@daily"'),
    comment: z
      .string()
      .regex(/^(?!conductor: )(?:[^\0\r\n]|\n(?!conductor: ))*$/u)
      .exactOptional()
      .describe('A remark that stands above the line'),
    commented: z.boolean().default(false).describe('Whether the line is switched off'),
    env: environment.exactOptional().describe('Variables for this command alone').meta(EXPOSED),
  })
  .refine(
    (args) => args.special === undefined || FIELDS.every((name) => args[name] === undefined),
    {
      error: '`special` stands in place of minute, hour, daymonth, month and dayweek',
      path: ['special'],
    },
  )
  .describe(
    "A line in a user's crontab. Lines that others have put there, and their order, are kept byte for byte; " +
      'an unmarked line with the very same command is taken over.',
  );

export const absentSchema = z
  .strictObject({ name: command, user, identifier })
  .describe("No line with this identifier or command in a user's crontab.");

export type PresentArgs = z.infer<typeof presentSchema>;
export type AbsentArgs = z.infer<typeof absentSchema>;
