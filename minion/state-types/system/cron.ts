import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import {
  blockLines,
  findBlock,
  needCrontab,
  needCrontabNow,
  readCrontab,
  writeCrontab,
} from './lib/crontab.ts';
import { EXPOSED, accountName, environment, singleLine } from '../lib/fields.ts';

/** One scheduled command; of `special` and the five fields, those that are not used are `null`. */
export type CronJob = {
  name: string;
  minute: string | null;
  hour: string | null;
  daymonth: string | null;
  month: string | null;
  dayweek: string | null;
  special: string | null;
  comment: string | null;
  commented: boolean;
};

const RANGES = { minute: 60, hour: 24, daymonth: 28, month: 12, dayweek: 7 } as const;
type Field = keyof typeof RANGES;
const FIELDS = ['minute', 'hour', 'daymonth', 'month', 'dayweek'] as const;

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

const field = z
  .union([z.int().nonnegative(), z.string()])
  .transform(String)
  .refine((text) => /^(?:random|[0-9A-Za-z*][0-9A-Za-z*,/-]*)$/u.test(text), {
    error: 'expected a field of a crontab, such as 5, */10, 1-5 or random',
  });

const command = singleLine.min(1).describe('The command').meta(EXPOSED);
const user = accountName.default('root').describe('Whose crontab it stands in');
const identifier = singleLine
  .min(1)
  .exactOptional()
  .describe(
    'What tells the line from others, even when its command changes; the command if absent',
  );

const presentSchema = z
  .strictObject({
    name: command,
    user,
    identifier,
    minute: field.exactOptional().describe('Minute; `random` is one that this host keeps'),
    hour: field.exactOptional().describe('Hour of the day'),
    daymonth: field.exactOptional().describe('Day of the month'),
    month: field.exactOptional().describe('Month of the year'),
    dayweek: field.exactOptional().describe('Day of the week; 0 and 7 are Sunday'),
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

const absentSchema = z
  .strictObject({ name: command, user, identifier })
  .describe("No line with this identifier or command in a user's crontab.");

type PresentArgs = z.infer<typeof presentSchema>;
type AbsentArgs = z.infer<typeof absentSchema>;

/** The command as it stands in the crontab, with its variables set before it. */
function commandOf({ name, env }: { name: string; env?: Record<string, string> }): string {
  if (env === undefined || Object.keys(env).length === 0) return name;
  const words = Object.entries(env).map(([variable, value]) => `${variable}=${quoted(value)}`);
  return `export ${words.join(' ')}; ${name}`;
}

/** For the shell, in which cron also takes `%` for a new line. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`).replaceAll('%', String.raw`'\%'`)}'`;
}

async function read(args: AbsentArgs, host: HostView): Promise<CronJob | null> {
  const lines = (await readCrontab(args.user, host)) ?? [];
  const block = findBlock(lines, identityOf(args), commandOf(args));
  if (block === null || block.command === '') return null;
  const isSpecial = block.when.length === 1;
  const at = (index: number) => (isSpecial ? null : (block.when[index] ?? null));
  return {
    name: block.command,
    minute: at(0),
    hour: at(1),
    daymonth: at(2),
    month: at(3),
    dayweek: at(4),
    special: isSpecial ? (block.when[0] ?? null) : null,
    comment: block.comment,
    commented: block.isCommented,
  };
}

function identityOf({ name, identifier: own = name }: AbsentArgs): string {
  return own;
}

async function want(args: PresentArgs, host: HostView): Promise<Partial<CronJob>> {
  await needCrontab(args.user, host);
  return wantedJob(args, host);
}

function wantedJob(args: PresentArgs, host: HostView): Partial<CronJob> {
  const { special, comment, commented } = args;
  const shared = {
    name: commandOf(args),
    commented,
    ...(comment === undefined ? {} : { comment: comment.trimEnd() }),
  };
  if (special !== undefined) return { ...shared, special };
  return {
    ...shared,
    ...Object.fromEntries(FIELDS.map((name) => [name, fieldOf(name, args, host)])),
  };
}

/** `random` is chosen by the host and the line alone, so it is the same on every run. */
function fieldOf(name: Field, args: PresentArgs, host: HostView): string {
  const value = args[name] ?? '*';
  if (value !== 'random') return value;
  const seed = `${host.minion}\n${args.user}\n${identityOf(args)}\n${name}`;
  const number = createHash('sha256').update(seed).digest().readUInt32BE(0);
  const first = name === 'daymonth' || name === 'month' ? 1 : 0;
  return String(first + (number % RANGES[name]));
}

async function applyPresent(change: Change<CronJob>, args: PresentArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const lines = await needCrontabNow(args.user, host);
  const block = findBlock(lines, identityOf(args), commandOf(args));
  const wanted = { ...(change.action === 'update' ? change.from : {}), ...wantedJob(args, host) };
  const fields = FIELDS.map((name) => wanted[name] ?? '*');
  const written = blockLines(identityOf(args), {
    when: args.special === undefined ? fields : [args.special],
    command: commandOf(args),
    isCommented: args.commented,
    comment: wanted.comment ?? null,
  });
  const from = block?.from ?? lines.length;
  await writeCrontab(
    args.user,
    lines.toSpliced(from, (block?.to ?? from) - from, ...written),
    host,
  );
}

async function applyAbsent(_change: Change<CronJob>, args: AbsentArgs, host: Host): Promise<void> {
  const lines = await needCrontabNow(args.user, host);
  const block = findBlock(lines, identityOf(args), args.name);
  if (block === null) return;
  await writeCrontab(args.user, lines.toSpliced(block.from, block.to - block.from), host);
}

const needs = ({ user: owner }: { user: string }): string[] => [`user:${owner}`, 'package:cron'];

export const cronPresent = defineState({
  name: 'cron.present',
  schema: presentSchema,
  example: `/srv/projects/hello/manage.py clearsessions:
  cron.present:
    user: www-data
    identifier: clear sessions
    minute: random
    hour: 3
    comment: Old sessions are of no use to anybody
`,
  needs,
  read,
  want,
  apply: applyPresent,
});

export const cronAbsent = defineState({
  name: 'cron.absent',
  schema: absentSchema,
  example: `old backup:
  cron.absent:
    name: /usr/local/bin/backup.sh
    user: www-data
`,
  read,
  want: () => null,
  apply: applyAbsent,
});
