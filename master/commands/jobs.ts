import { type Command, Option } from 'commander';
import { z } from 'zod';
import { jsonText } from '../../shared/json-text.ts';
import type { Report } from '../../protocol/report.ts';
import { jobAnswer, jobsAnswer, reportAnswer, RUN_KINDS, type JobAnswer } from '../api/answers.ts';
import type { Client } from '../cli/client.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { parseCount } from '../cli/values.ts';
import { renderJob, renderReports } from '../render/job.ts';
import { renderTable, renderTime } from '../render/table.ts';
import { followJob } from './apply.ts';

const verboseSchema = z.object({ verbose: z.boolean().default(false) });

export function addJobs(program: Command, context: Context): void {
  const jobs = program
    .command('jobs')
    .description('what was asked of minions, and what came of it')
    .addHelpText('after', '\nExamples:\n  $ master jobs list\n  $ master jobs watch 0198c2f1');
  addList(jobs, context);
  addShow(jobs, context);
  const watch = jobs
    .command('watch')
    .description('follow a job to its end')
    .argument('<job>', 'its id, or the beginning of it')
    .option('-v, --verbose', 'show unchanged states too');
  withCommon(watch).action(async (job: string, options: unknown) => {
    const { verbose } = verboseSchema.parse(options);
    const common = await readCommon(context, options);
    const events = common.client.events('GET', `/jobs/${encodeURIComponent(job)}/events`);
    await followJob(context, common, { events, format: common.json ? 'ndjson' : 'text', verbose });
  });
  const cancel = jobs
    .command('cancel')
    .description('ask for the end of a job')
    .argument('<job>', 'its id, or the beginning of it');
  withCommon(cancel).action(async (job: string, options: unknown) => {
    const { client, json } = await readCommon(context, options);
    const answer = await client.post(`/jobs/${encodeURIComponent(job)}/cancel`, {}, jobAnswer);
    const { terminal } = context;
    if (json) return terminal.out(jsonText(answer));
    for (const line of renderJob(answer, terminal)) terminal.out(line);
  });
}

const listSchema = z.object({ limit: z.string(), kind: z.string().optional() });

function addList(jobs: Command, context: Context): void {
  const list = jobs
    .command('list')
    .description('the latest jobs, and what minions ran by themselves')
    .option('--limit <number>', 'how many', '20')
    .addOption(new Option('--kind <kind>', 'only these').choices(RUN_KINDS));
  withCommon(list).action(async (options: unknown) => {
    const { limit, kind } = listSchema.parse(options);
    const { client, json } = await readCommon(context, options);
    const query = new URLSearchParams({
      limit: String(parseCount('--limit', limit, 1000)),
      ...(kind === undefined ? {} : { kind }),
    });
    const answer = await client.get(`/jobs?${query.toString()}`, jobsAnswer);
    const { terminal } = context;
    if (json) return terminal.out(jsonText(answer));
    const { isTerminal } = terminal;
    const rows = answer.jobs.map((job) => [
      job.id,
      renderTime(job.createdAt, { isTerminal, now: terminal.now() }),
      job.target,
      job.kind,
      job.dryRun ? 'dry run' : 'apply',
      summaryOf(job),
    ]);
    const names = ['job', 'made', 'target', 'kind', 'mode', 'targets'];
    for (const line of renderTable(names, rows, terminal)) terminal.out(line);
  });
}

function addShow(jobs: Command, context: Context): void {
  const show = jobs
    .command('show')
    .description('one job and its targets')
    .argument('<job>', 'its id, or the beginning of it')
    .option('-v, --verbose', 'show unchanged states too');
  withCommon(show).action(async (job: string, options: unknown) => {
    const { verbose } = verboseSchema.parse(options);
    const { client, json } = await readCommon(context, options);
    const { terminal } = context;
    const answer = await client.get(`/jobs/${encodeURIComponent(job)}`, jobAnswer);
    const reports = await readReports(client, answer);
    if (json) {
      const reportOf = ({ minion }: { minion: string }) => reports.get(minion) ?? null;
      const targets = answer.targets.map((target) => ({ ...target, report: reportOf(target) }));
      return terminal.out(jsonText({ ...answer, targets }));
    }
    for (const line of renderJob(answer, terminal)) terminal.out(line);
    const look = { color: terminal.color, verbose };
    for (const line of renderReports([...reports.values()], look)) terminal.out(line);
  });
}

/** `2 changed, 1 failed`. */
function summaryOf({ targets }: JobAnswer): string {
  const counts = new Map<string, number>();
  for (const { state } of targets) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
}

/** What its targets have reported, by minion. */
async function readReports(
  client: Client,
  { id, targets }: JobAnswer,
): Promise<ReadonlyMap<string, Report>> {
  const reports = new Map<string, Report>();
  for (const { minion, counts } of targets) {
    if (counts === null) continue;
    const path = `/jobs/${id}/reports/${encodeURIComponent(minion)}`;
    const { report } = await client.get(path, reportAnswer);
    if (report !== null) reports.set(minion, report);
  }
  return reports;
}
