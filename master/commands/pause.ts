import type { Command } from 'commander';
import { z } from 'zod';
import { LONGEST_PAUSE_SECONDS } from '../../protocol/pause.ts';
import { EXIT } from '../../shared/exit-codes.ts';
import { jsonText } from '../../shared/json-text.ts';
import { pauseRequest, pauseWords } from '../../shared/pause.ts';
import { pausesAnswer } from '../api/answers.ts';
import { readCommon, withCommon, withTarget, type Context } from '../cli/context.ts';
import { renderTable } from '../render/table.ts';

const optionsSchema = z.object({
  target: z.string(),
  for: z.string().optional(),
  why: z.string().optional(),
});

const EXAMPLES = `
A minion that is offline is told when it comes back, if the pause is not over by then. What somebody asks for
(master apply) is done all the same, unless it is asked with --respect-pause.

Example:
  $ master pause --target 'web*' --for 2h --why "moving the database"`;

export function addPause(program: Command, context: Context): void {
  const pause = program
    .command('pause')
    .description('have minions make no scheduled runs for a time')
    .option('--for <time>', 'how long, at most 14d: 90s, 30m, 2h, 1d (required)')
    .option('--why <text>', 'for whoever finds it (required)')
    .addHelpText('after', EXAMPLES);
  withTarget(pause);
  withCommon(pause).action(async (options: unknown) => {
    const { target, ...given } = optionsSchema.parse(options);
    const request = { target, ...pauseRequest(given, LONGEST_PAUSE_SECONDS) };
    await ask(context, options, { url: '/pause', request, done: 'paused' });
  });
}

export function addResume(program: Command, context: Context): void {
  const resume = program
    .command('resume')
    .description('lift the pauses of minions, also those made on the minion')
    .addHelpText('after', "\nExample:\n  $ master resume --target 'web*'");
  withTarget(resume);
  withCommon(resume).action(async (options: unknown) => {
    const { target } = optionsSchema.parse(options);
    await ask(context, options, { url: '/resume', request: { target }, done: 'resumed' });
  });
}

interface Asked {
  readonly url: string;
  readonly request: unknown;
  /** What a minion is that has done it. */
  readonly done: string;
}

const WORDS = {
  silent: 'does not answer: it is told again when it comes back',
  offline: 'offline: it is told when it comes back',
  'too-old': 'its agent is too old: upgrade conductor-minion there',
} as const;

async function ask(context: Context, options: unknown, { url, request, done }: Asked) {
  const { client, json } = await readCommon(context, options);
  const answer = await client.post(url, request, pausesAnswer);
  const { terminal } = context;
  if (answer.minions.some(({ state }) => state !== 'done')) context.exit(EXIT.offline);
  if (json) return terminal.out(jsonText(answer));
  const rows = answer.minions.map(({ id, state, before }) => [
    id,
    state === 'done' ? done : WORDS[state],
    before === null ? '-' : `paused ${pauseWords(before)}`,
  ]);
  for (const line of renderTable(['minion', 'is', 'was'], rows, terminal)) terminal.out(line);
}
