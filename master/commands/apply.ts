import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { JobEvent } from '../../protocol/messages.ts';
import type { Report } from '../../protocol/report.ts';
import { EXIT } from '../../shared/exit-codes.ts';
import { jsonText } from '../../shared/json-text.ts';
import { jobAnswer } from '../api/answers.ts';
import { readCommon, withCommon, withTarget, type Common, type Context } from '../cli/context.ts';
import { parseDuration } from '../../shared/duration.ts';
import { readRollout, withRollout } from '../cli/rollout-options.ts';
import { collect, parseSettings } from '../cli/values.ts';
import { createJobView } from '../render/job-view.ts';

const FORMATS = ['text', 'json', 'ndjson'] as const;

const optionsSchema = z.object({
  target: z.string(),
  dryRun: z.boolean().default(false),
  set: z.array(z.string()).default([]),
  timeout: z.string().default('1h'),
  detach: z.boolean().default(false),
  respectPause: z.boolean().default(false),
  output: z.enum(FORMATS).optional(),
  verbose: z.boolean().default(false),
});

const EXAMPLES = `
Examples:
  $ master apply --target appserver
  $ master apply --target 'web* and not facts.os:Ubuntu' --dry-run
  $ master apply --target db-01 postgres --set version=15
  $ master apply --target web --batch 10% --max-failures 2
  $ master apply --target web --at 22:30 --expires +1d --detach`;

export function addApply(program: Command, context: Context): void {
  const command = program
    .command('apply')
    .description('bring minions to what the tree says')
    .argument('[state-files...]', "state files to apply in place of the top file's")
    .option('-n, --dry-run', 'only say what would change')
    .option('--set <name=value>', 'a value for a declared param (may be repeated)', collect)
    .option('--timeout <time>', 'how long a run may take', '1h')
    .option('-d, --detach', 'print the id of the job and return at once')
    .option('--respect-pause', 'refuse if any of the minions is paused')
    .addOption(new Option('--output <format>', 'how to print').choices(FORMATS))
    .option('-v, --verbose', 'show unchanged states too')
    .addHelpText('after', EXAMPLES);
  withTarget(withRollout(command));
  withCommon(command).action(async (stateFiles: string[], options: unknown) => {
    const { output, ...given } = optionsSchema.parse(options);
    const common = await readCommon(context, options);
    const request = {
      target: given.target,
      stateFiles,
      dryRun: given.dryRun,
      params: parseSettings(given.set),
      timeoutSeconds: parseDuration(given.timeout),
      rollout: readRollout(options, context.terminal.now()),
      detach: given.detach,
      respectPause: given.respectPause,
    };
    const format = output ?? (common.json ? 'json' : 'text');
    if (given.detach) {
      const job = await common.client.post('/jobs', request, jobAnswer);
      context.terminal.out(format === 'text' ? job.id : jsonText(job));
      return;
    }
    const events = common.client.events('POST', '/jobs', request);
    await followJob(context, common, { events, format, verbose: given.verbose });
  });
}

export interface Following {
  readonly events: AsyncIterable<JobEvent>;
  readonly format: 'text' | 'json' | 'ndjson';
  readonly verbose: boolean;
}

/** Shows a job to its end and takes its exit code; Ctrl-C leaves it alone. */
export async function followJob(
  context: Context,
  common: Pick<Common, 'config'>,
  following: Following,
): Promise<void> {
  const { terminal } = context;
  const seen: { job: string | null } = { job: null };
  const detach = () => {
    terminal.transient('');
    if (seen.job !== null) terminal.err(howToFollow(seen.job, common.config.socket));
    process.exit(EXIT.interrupted);
  };
  process.once('SIGINT', detach);
  try {
    context.exit(await show(context, following, seen));
  } catch (error) {
    if (seen.job !== null) terminal.err(howToFollow(seen.job, common.config.socket));
    throw error;
  } finally {
    process.off('SIGINT', detach);
  }
}

function howToFollow(job: string, socket: string): string {
  const where = socket === '/run/conductor/master.sock' ? '' : ` --socket ${socket}`;
  return [
    'The job goes on.',
    `  follow it:  master jobs watch ${job}${where}`,
    `  end it:     master jobs cancel ${job}${where}`,
  ].join('\n');
}

async function show(
  { terminal }: Context,
  { events, format, verbose }: Following,
  seen: { job: string | null },
): Promise<number> {
  const view = createJobView(terminal, { verbose });
  const document = createDocument();
  let exitCode: number = EXIT.offline;
  for await (const event of events) {
    if (event.event === 'job') seen.job = event.job;
    if (event.event === 'done') exitCode = event.exitCode;
    if (format === 'text') view.show(event);
    else if (format === 'ndjson') terminal.out(jsonText(event));
    else document.note(event);
  }
  if (format === 'json') terminal.out(jsonText({ ...document.result(), exitCode }));
  return exitCode;
}

type TargetEvent = Extract<JobEvent, { event: 'target' }>;

/** A whole job as one JSON document. */
function createDocument() {
  const targets = new Map<string, Omit<TargetEvent, 'event'>>();
  const reports = new Map<string, Report>();
  let head: { job: string; revision: string } | null = null;
  return {
    note(event: JobEvent) {
      if (event.event === 'job') head = { job: event.job, revision: event.revision };
      if (event.event === 'target') {
        const { event: _event, ...target } = event;
        targets.set(target.minion, target);
      }
      if (event.event === 'run' && event.run.event === 'report')
        reports.set(event.minion, event.run.report);
    },
    result: () => ({
      ...head,
      targets: [...targets.values()].map((target) => ({
        ...target,
        report: reports.get(target.minion) ?? null,
      })),
    }),
  };
}
