import type { Command } from 'commander';
import { z } from 'zod';
import { jsonText } from '../../shared/json-text.ts';
import { escapeControls } from '../../shared/log.ts';
import { renderCounts } from '../../shared/render-run.ts';
import { jobAnswer, jobsAnswer, type JobAnswer } from '../api/answers.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { renderTable, renderTime, short } from '../render/table.ts';
import { followJob } from './apply.ts';

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
    const { verbose } = z.object({ verbose: z.boolean().default(false) }).parse(options);
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
    if (json) context.terminal.out(jsonText(answer));
    else showJob(context, answer);
  });
}

function addList(jobs: Command, context: Context): void {
  const list = jobs
    .command('list')
    .description('the latest jobs')
    .option('--limit <number>', 'how many', '20');
  withCommon(list).action(async (options: unknown) => {
    const { limit } = z.object({ limit: z.string() }).parse(options);
    const { client, json } = await readCommon(context, options);
    const answer = await client.get(`/jobs?limit=${encodeURIComponent(limit)}`, jobsAnswer);
    const { terminal } = context;
    if (json) return terminal.out(jsonText(answer));
    const { isTerminal } = terminal;
    const rows = answer.jobs.map((job) => [
      job.id,
      renderTime(job.createdAt, { isTerminal, now: terminal.now() }),
      job.target,
      job.dryRun ? 'dry run' : 'apply',
      summaryOf(job),
    ]);
    for (const line of renderTable(['job', 'made', 'target', 'kind', 'targets'], rows, terminal))
      terminal.out(line);
  });
}

function addShow(jobs: Command, context: Context): void {
  const show = jobs
    .command('show')
    .description('one job and its targets')
    .argument('<job>', 'its id, or the beginning of it');
  withCommon(show).action(async (job: string, options: unknown) => {
    const { client, json } = await readCommon(context, options);
    const answer = await client.get(`/jobs/${encodeURIComponent(job)}`, jobAnswer);
    if (json) context.terminal.out(jsonText(answer));
    else showJob(context, answer);
  });
}

/** `2 changed, 1 failed`. */
function summaryOf({ targets }: JobAnswer): string {
  const counts = new Map<string, number>();
  for (const { state } of targets) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
}

type Target = JobAnswer['targets'][number];

function resultOf({ error, counts, progress }: Pick<Target, 'error' | 'counts' | 'progress'>) {
  if (error !== null) return error.message.split('\n')[0] ?? '';
  if (counts !== null) return renderCounts(counts);
  return progress === null ? '' : `${progress.number}/${progress.total} ${progress.current}`;
}

function showJob({ terminal }: Context, job: JobAnswer): void {
  const { isTerminal } = terminal;
  const files = job.stateFiles.length === 0 ? 'the top file' : job.stateFiles.join(', ');
  const mode = job.dryRun ? ' (dry run)' : '';
  terminal.out(`job ${job.id}: ${escapeControls(files)} on ${escapeControls(job.target)}${mode}`);
  terminal.out(`made ${job.createdAt}, revision ${short(job.revision, terminal)}`);
  const rows = job.targets.map(({ minion, state, online, updatedAt, ...result }) => [
    minion,
    state,
    online ? 'online' : 'offline',
    renderTime(updatedAt, { isTerminal, now: terminal.now() }),
    resultOf(result),
  ]);
  for (const line of renderTable(['minion', 'state', 'is', 'since', 'result'], rows, terminal))
    terminal.out(line);
}
