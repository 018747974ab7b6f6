import type { Command } from 'commander';
import { jsonText } from '../../shared/json-text.ts';
import { factsAnswer } from '../api/answers.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { renderData } from '../render/data.ts';
import { renderTime } from '../render/table.ts';

export function addFacts(program: Command, context: Context): void {
  const facts = program
    .command('facts')
    .description('what a minion has last said of its host')
    .argument('<minion>', 'its id')
    .addHelpText('after', '\nExample:\n  $ master facts appserver --json');
  withCommon(facts).action(async (id: string, options: unknown) => {
    const { client, json } = await readCommon(context, options);
    const answer = await client.get(`/minions/${encodeURIComponent(id)}/facts`, factsAnswer);
    const { terminal } = context;
    if (json) return terminal.out(jsonText(answer.facts));
    const { isTerminal } = terminal;
    if (isTerminal)
      terminal.err(`told ${renderTime(answer.updatedAt, { isTerminal, now: terminal.now() })}`);
    for (const line of renderData(answer.facts)) terminal.out(line);
  });
}
