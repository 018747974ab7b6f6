import { createHash } from 'node:crypto';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Settled } from '../../../shared/surroundings.ts';
import { gone, there } from '../lib/settled.ts';
import type { Host, HostView } from '../../host/host.ts';
import {
  crontabOf,
  blockLines,
  findBlock,
  needCrontab,
  needCrontabNow,
  readCrontab,
  writeCrontab,
} from './lib/crontab.ts';
import { FIELDS, absentSchema, presentSchema } from './cron-schema.ts';
import type { AbsentArgs, Field, PresentArgs } from './cron-schema.ts';

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

/** How many values `random` chooses from. */
const RANGES = { minute: 60, hour: 24, daymonth: 28, month: 12, dayweek: 7 } as const;

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

function presentSettled(args: PresentArgs): Settled {
  const { name, minute, hour, daymonth, month, dayweek, special } = args;
  const time = [minute, hour, daymonth, month, dayweek, special].join(' ');
  return there(jobOf(args), { command: name, time });
}

function jobOf(args: AbsentArgs): string {
  return `cron job:${identityOf(args)} of ${args.user}`;
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
  writes: ({ user }) => [crontabOf(user)],
  settles: presentSettled,
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
  settles: (args) => gone([jobOf(args)]),
  read,
  want: () => null,
  apply: applyAbsent,
});
