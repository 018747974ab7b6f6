import type { Command } from 'commander';
import { z } from 'zod';
import { jsonText } from '../../shared/json-text.ts';
import type { Report } from '../../protocol/report.ts';
import { jobAnswer, reportAnswer, type JobAnswer } from '../api/answers.ts';
import type { Client } from '../cli/client.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { followJob } from '../cli/follow-job.ts';
import { formatOf, outputSchema, withOutput } from '../cli/output-option.ts';
import { renderJob, renderReports } from '../render/job.ts';
import { beginJob } from './apply.ts';
import { addJobsList } from './jobs-list.ts';

const verboseSchema = z.object({ verbose: z.boolean().default(false) });
const followSchema = verboseSchema.extend({ output: outputSchema });

export function addJobs(program: Command, context: Context): void {
  const jobs = program
    .command('jobs')
    .description('what was asked of minions, and what came of it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ master jobs list\n  $ master jobs watch 0198c2f1\n  $ master jobs retry 0198c2f1',
    );
  addJobsList(jobs, context);
  addShow(jobs, context);
  const watch = jobs
    .command('watch')
    .description('follow a job to its end')
    .argument('<job>', 'its id, or the beginning of it')
    .option('-v, --verbose', 'show unchanged states too');
  withCommon(withOutput(watch)).action(async (job: string, options: unknown) => {
    const { verbose, output } = followSchema.parse(options);
    const common = await readCommon(context, options);
    const path = `/jobs/${encodeURIComponent(job)}/events`;
    const events = (signal: AbortSignal) => common.client.events('GET', path, { signal });
    await followJob(context, common, { events, format: formatOf(common, output), verbose });
  });
  addRetry(jobs, context);
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

const retrySchema = z.object({
  cancelled: z.boolean().default(false),
  detach: z.boolean().default(false),
  verbose: z.boolean().default(false),
  output: outputSchema,
});

function addRetry(jobs: Command, context: Context): void {
  const retry = jobs
    .command('retry')
    .description('the same again, as a new job, for the targets that have not succeeded')
    .argument('<job>', 'its id, or the beginning of it')
    .option('--cancelled', 'also for those that were cancelled, or whose turn never came')
    .option('-d, --detach', 'print the id of the new job and return at once')
    .option('-v, --verbose', 'show unchanged states too');
  withCommon(withOutput(retry)).action(async (job: string, options: unknown) => {
    const { verbose, output, ...request } = retrySchema.parse(options);
    const common = await readCommon(context, options);
    const path = `/jobs/${encodeURIComponent(job)}/retry`;
    const format = formatOf(common, output);
    await beginJob(context, common, { path, request, format, verbose });
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
