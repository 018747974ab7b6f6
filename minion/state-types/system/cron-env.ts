import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { accountName, singleLine } from '../lib/fields.ts';
import {
  crontabOf,
  assignmentLine,
  assignmentsOf,
  needCrontab,
  needCrontabNow,
  readCrontab,
  writeCrontab,
} from './lib/crontab.ts';

/** A variable of a user's crontab. */
export type CronVariable = { value: string };

const fields = {
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, {
      error: 'expected the name of a variable, such as MAILTO',
    })
    .describe('Name of the variable, such as MAILTO or PATH'),
  user: accountName.default('root').describe('Whose crontab it stands in'),
};

const presentSchema = z
  .strictObject({
    ...fields,
    value: z
      .union([singleLine, z.number(), z.boolean()])
      .transform(String)
      .pipe(z.string().regex(/^[^"]*$/u, { error: 'expected a value without quotation marks' }))
      .describe('Its value; cron expands nothing in it'),
  })
  .describe(
    "A variable of all commands of a user's crontab. It stands above them; other lines are kept byte for byte. " +
      'An empty MAILTO makes cron send no mail.',
  );

const absentSchema = z
  .strictObject(fields)
  .describe("No variable of this name in a user's crontab.");

type PresentArgs = z.infer<typeof presentSchema>;
type AbsentArgs = z.infer<typeof absentSchema>;

/** If several lines set it to different values, all of them are told. */
async function read({ name, user }: AbsentArgs, host: HostView): Promise<CronVariable | null> {
  const found = assignmentsOf((await readCrontab(user, host)) ?? [], name);
  if (found.length === 0) return null;
  return { value: [...new Set(found.map(({ value }) => value))].join('\n') };
}

async function applyPresent(
  _change: Change<CronVariable>,
  { name, user, value }: PresentArgs,
  host: Host,
): Promise<void> {
  const lines = await needCrontabNow(user, host);
  const taken = assignmentsOf(lines, name).map(({ at }) => at);
  const [first, ...more] = taken;
  const line = assignmentLine(name, value);
  const written = first === undefined ? [line, ...lines] : lines.with(first, line);
  await writeCrontab(
    user,
    written.filter((_line, at) => !more.includes(at)),
    host,
  );
}

async function applyAbsent(
  _change: Change<CronVariable>,
  { name, user }: AbsentArgs,
  host: Host,
): Promise<void> {
  const lines = await needCrontabNow(user, host);
  const taken = assignmentsOf(lines, name).map(({ at }) => at);
  await writeCrontab(
    user,
    lines.filter((_line, at) => !taken.includes(at)),
    host,
  );
}

const needs = ({ user }: { user: string }): string[] => [`user:${user}`, 'package:cron'];

export const cronEnvPresent = defineState({
  name: 'cron.env_present',
  schema: presentSchema,
  example: `MAILTO:
  cron.env_present:
    user: www-data
    value: ops@example.org
`,
  writes: ({ user }: PresentArgs) => [crontabOf(user)],
  needs,
  read,
  async want({ user, value }: PresentArgs, host): Promise<Partial<CronVariable>> {
    await needCrontab(user, host);
    return { value };
  },
  apply: applyPresent,
});

export const cronEnvAbsent = defineState({
  name: 'cron.env_absent',
  schema: absentSchema,
  example: `MAILTO:
  cron.env_absent:
    user: www-data
`,
  needs,
  read,
  want: () => null,
  apply: applyAbsent,
});
