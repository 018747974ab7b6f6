import { type Command, Option } from 'commander';
import { z } from 'zod';
import { TARGET_STATES } from '../../protocol/messages.ts';
import { jsonText } from '../../shared/json-text.ts';
import { jobsAnswer, keysAnswer, RUN_KINDS, type JobAnswer } from '../api/answers.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Client } from '../cli/client.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { parsePast } from '../cli/moment.ts';
import { parseCount, parseMinionId } from '../cli/values.ts';
import { appliedWords } from '../render/applied.ts';
import { renderTable, renderTime } from '../render/table.ts';

const optionsSchema = z.object({
  limit: z.string(),
  kind: z.string().optional(),
  target: z.string().optional(),
  minion: z.string().optional(),
  status: z.string().optional(),
  since: z.string().optional(),
  before: z.string().optional(),
});

const EXAMPLES = `
Examples:
  $ master jobs list --status failed --since 7d
  $ master jobs list --minion web-01 --kind refresh
  $ master jobs list --before 0198c2f1`;

export function addJobsList(jobs: Command, context: Context): void {
  const states = [...TARGET_STATES, 'unfinished'];
  const list = jobs
    .command('list')
    .description('the latest jobs, and what minions ran by themselves')
    .option('-t, --target <target>', 'only those on any of these minions')
    .option('--minion <id>', 'only those on this minion, also if it is gone')
    .addOption(new Option('--status <state>', 'only those with such a target').choices(states))
    .addOption(new Option('--kind <kind>', 'only these').choices(RUN_KINDS))
    .option('--since <time>', 'only those of the last 2h or 7d, or since 2026-12-31T22:30')
    .option('--limit <number>', 'how many', '20')
    .option('--before <job>', 'only older ones than this: the next page')
    .addHelpText('after', EXAMPLES);
  withCommon(list).action(async (options: unknown) => {
    const given = optionsSchema.parse(options);
    const query = queryOf(given, context.terminal.now());
    const { client, json } = await readCommon(context, options);
    const answer = await client.get(`/jobs?${query.toString()}`, jobsAnswer);
    const { terminal } = context;
    const { minion } = given;
    if (minion !== undefined && answer.jobs.length === 0)
      await tellIfUnknown(context, client, minion);
    if (json) return terminal.out(jsonText(answer));
    const rows = answer.jobs.map((job) => rowOf(job, context));
    const names = ['job', 'made', 'target', 'kind', 'mode', 'applied', 'targets'];
    for (const line of renderTable(names, rows, terminal)) terminal.out(line);
    if (answer.next !== null) terminal.err(`there are older ones: --before ${answer.next}`);
  });
}

/** Throws USAGE. */
function queryOf(options: z.infer<typeof optionsSchema>, now: Date): URLSearchParams {
  const { limit, since, minion, ...rest } = options;
  const given = {
    ...rest,
    limit: String(parseCount('--limit', limit, 1000)),
    minion: minion === undefined ? undefined : parseMinionId(minion),
    since: since === undefined ? undefined : parsePast('--since', since, now),
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given))
    if (value !== undefined) query.set(name, value);
  return query;
}

function rowOf(job: JobAnswer, { terminal }: Context): string[] {
  const look = { isTerminal: terminal.isTerminal, now: terminal.now() };
  const startsAt = job.rollout?.startsAt ?? null;
  const isEarly = startsAt !== null && look.now < new Date(startsAt) && job.cancelledAt === null;
  const begins = isEarly ? `begins ${renderTime(startsAt, look)}` : null;
  return [
    job.id,
    renderTime(job.createdAt, look),
    job.target,
    job.kind,
    job.dryRun ? 'dry run' : 'apply',
    appliedWords(job.stateFiles, terminal),
    summaryOf(job, begins),
  ];
}

/** `2 changed, 1 failed`. */
function summaryOf({ targets }: JobAnswer, begins: string | null): string {
  const counts = new Map<string, number>();
  for (const { state } of targets) counts.set(state, (counts.get(state) ?? 0) + 1);
  const said = [...counts].map(([state, count]) => `${count} ${state}`);
  return [...said, ...(begins === null ? [] : [begins])].join(', ');
}

/** It may have been there once, and be forgotten together with its jobs. */
async function tellIfUnknown({ terminal }: Context, client: Client, minion: string): Promise<void> {
  const { keys } = await client.get('/keys', keysAnswer);
  const ids = keys.map(({ id }) => id);
  if (!ids.includes(minion))
    terminal.err(`no minion has the id "${minion}"${didYouMean(minion, ids)}`);
}
