import type { Command } from 'commander';
import * as z from 'zod/mini';
import { holdStateDirectory } from '../agent/agent-lock.ts';
import type { LocalRequest } from '../agent/local-request.ts';
import { askAgent, isAnswered } from '../agent/local-socket.ts';
import { openPauses } from '../agent/pause.ts';
import type { Pauses } from '../agent/pause.ts';
import type { Configuration } from '../config.ts';
import { LONGEST_PAUSE_SECONDS, pauseSchema } from '../../protocol/pause.ts';
import { ConductorError } from '../../shared/errors.ts';
import { pauseRequest, pauseWords } from '../../shared/pause.ts';
import { configFor, logOf, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

interface PauseOptions extends CommonOptions {
  readonly for?: string;
  readonly why?: string;
}

const EXAMPLES = `
Runs that somebody asks for go on: master apply, minion apply, minion agent --refresh-now.

Example:
  minion pause --for 2h --why "moving the database"`;

export function addPause(program: Command, context: Context): void {
  withCommon(program.command('pause'))
    .description('Make no scheduled runs for a time')
    .option('--for <time>', 'how long, at most 14d: 90s, 30m, 2h, 1d (required)')
    .option('--why <text>', 'for whoever finds it (required)')
    .addHelpText('after', EXAMPLES)
    .action(async (options: PauseOptions) => {
      const request = pauseRequest(options, LONGEST_PAUSE_SECONDS);
      const config = await configFor(context, options);
      const { pause, before = null } = await ask(context, config, { ask: 'pause', ...request });
      const { terminal } = context;
      terminal.out(pause === null ? 'not paused' : `paused ${pauseWords(pause)}`);
      if (before !== null) terminal.out(`in place of a pause ${pauseWords(before)}`);
    });
}

export function addResume(program: Command, context: Context): void {
  withCommon(program.command('resume'))
    .description('Lift a pause; a scheduled run that it held back comes soon')
    .action(async (options: CommonOptions) => {
      const config = await configFor(context, options);
      const { pause: lifted } = await ask(context, config, { ask: 'resume' });
      context.terminal.out(
        lifted === null ? 'it was not paused' : `resumed; it was paused ${pauseWords(lifted)}`,
      );
    });
}

const answerSchema = z.object({
  pause: z.nullable(pauseSchema),
  /** The one that this takes the place of. */
  before: z.optional(z.nullable(pauseSchema)),
});

type Answer = z.infer<typeof answerSchema>;

/** The pause that has begun, or been lifted: by the agent, or without one in its files. */
async function ask(
  context: Context,
  config: Configuration,
  request: Extract<LocalRequest, { ask: 'pause' | 'resume' }>,
): Promise<Answer> {
  if (!(await isAnswered(config.socket))) return alone(context, config, request);
  for await (const line of askAgent(config, request)) {
    const answer = answerSchema.safeParse(JSON.parse(line));
    if (answer.success) return answer.data;
    const message = `Cannot ${request.ask}: the agent answers ${line}`;
    throw new ConductorError('HOST_FILE_FAILED', message);
  }
  throw new ConductorError('CHANNEL_CLOSED', `Cannot ${request.ask}: the agent has gone`);
}

async function alone(
  context: Context,
  { state_directory: stateDirectory }: Configuration,
  request: Extract<LocalRequest, { ask: 'pause' | 'resume' }>,
): Promise<Answer> {
  const lock = await holdStateDirectory(stateDirectory);
  try {
    const pauses: Pauses = openPauses({
      stateDirectory,
      now: () => new Date(),
      elapsed: () => performance.now(),
      log: logOf(context, 'error'),
      changed: () => undefined,
    });
    const before = pauses.current();
    if (request.ask === 'resume') return { pause: pauses.lift() };
    return { pause: pauses.begin(request, 'minion'), before };
  } finally {
    lock.close();
  }
}
