import type { Command } from 'commander';
import { z } from 'zod';
import { jsonText } from '../../shared/json-text.ts';
import { driftAnswer, type DriftAnswer } from '../api/answers.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { parsePast } from '../cli/moment.ts';
import { renderTable, renderTime, short } from '../render/table.ts';

const optionsSchema = z.object({ target: z.string().optional(), since: z.string().optional() });

const HELP = `
What was changed by hand, or by other programs, and put right by a run. "master jobs show JOB" has the difference.

Examples:
  $ master drift --since 7d
  $ master drift --target 'web*' --since 2026-11-01 --json`;

export function addDrift(program: Command, context: Context): void {
  const drift = program
    .command('drift')
    .description(
      'which hosts were changed behind the back of the tree, where, how often, last when',
    )
    .option('-t, --target <target>', 'only these minions: ids, groups, globs, expressions')
    .option('--since <time>', 'only what has drifted since: 7d, 12h, a date or a time')
    .addHelpText('after', HELP);
  withCommon(drift).action(async (options: unknown) => {
    const { target, since } = optionsSchema.parse(options);
    const { terminal } = context;
    const query = new URLSearchParams({
      ...(target === undefined ? {} : { target }),
      ...(since === undefined ? {} : { since: parsePast('--since', since, terminal.now()) }),
    });
    const { client, json } = await readCommon(context, options);
    const answer = await client.get(`/drift?${query.toString()}`, driftAnswer);
    if (json) return terminal.out(jsonText(answer));
    const names = ['minion', 'state', 'times', 'since', 'last', 'job'];
    const rows = answer.drifts.map((state) => rowOf(state, terminal));
    for (const line of renderTable(names, rows, terminal)) terminal.out(line);
  });
}

function rowOf(
  { minion, type, id, name, times, since, lastAt, job }: DriftAnswer['drifts'][number],
  terminal: Context['terminal'],
): string[] {
  const at = (time: string) =>
    renderTime(time, { isTerminal: terminal.isTerminal, now: terminal.now() });
  const state = name === id ? `${type} ${id}` : `${type} ${id} (${name})`;
  return [minion, state, String(times), at(since), at(lastAt), short(job, terminal)];
}
