import type { Command } from 'commander';
import { z } from 'zod';
import { jsonText } from '../../shared/json-text.ts';
import { jobAnswer, type JobAnswer } from '../api/answers.ts';
import { readCommon, withCommon, withTarget, type Common, type Context } from '../cli/context.ts';
import { parseTimeout } from '../../shared/duration.ts';
import { followJob, type Format } from '../cli/follow-job.ts';
import { formatOf, outputSchema, withOutput } from '../cli/output-option.ts';
import { readRollout, withRollout } from '../cli/rollout-options.ts';
import { collect, parseSettings } from '../cli/values.ts';
import { laterLines } from '../render/later.ts';

const optionsSchema = z.object({
  target: z.string(),
  dryRun: z.boolean().default(false),
  set: z.array(z.string()).default([]),
  timeout: z.string().default('1h'),
  detach: z.boolean().default(false),
  respectPause: z.boolean().default(false),
  output: outputSchema,
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
    .option('-v, --verbose', 'show unchanged states too')
    .addHelpText('after', EXAMPLES);
  withTarget(withRollout(withOutput(command)));
  withCommon(command).action(async (stateFiles: string[], options: unknown) => {
    const { output, ...given } = optionsSchema.parse(options);
    const common = await readCommon(context, options);
    const request = {
      target: given.target,
      stateFiles,
      dryRun: given.dryRun,
      params: parseSettings(given.set),
      timeoutSeconds: parseTimeout(given.timeout),
      rollout: readRollout(options, context.terminal.now()),
      detach: given.detach,
      respectPause: given.respectPause,
    };
    const format = formatOf(common, output);
    await beginJob(context, common, { path: '/jobs', request, format, verbose: given.verbose });
  });
}

export interface Beginning {
  readonly path: string;
  readonly request: { readonly detach: boolean };
  readonly format: Format;
  readonly verbose: boolean;
}

/** Makes a job, and follows it unless it is to be left alone. */
export async function beginJob(
  context: Context,
  common: Common,
  { path, request, format, verbose }: Beginning,
): Promise<void> {
  if (request.detach) {
    const job = await common.client.post(path, request, jobAnswer);
    tellDetached(context, job, format);
    return;
  }
  const events = (signal: AbortSignal) =>
    common.client.events('POST', path, { body: request, signal });
  await followJob(context, common, { events, format, verbose });
}

function tellDetached({ terminal }: Context, job: JobAnswer, format: Format): void {
  terminal.out(format === 'text' ? job.id : jsonText(job));
  if (format !== 'text' || job.rollout === null) return;
  for (const line of laterLines(job.rollout)) terminal.err(line);
}
