import type { Command } from 'commander';
import { z } from 'zod';
import { showPlace } from '../../language/place.ts';
import { ConductorError } from '../../shared/errors.ts';
import { jsonText } from '../../shared/json-text.ts';
import { didYouMean } from '../../shared/suggest.ts';
import { pillarAnswer } from '../api/answers.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { renderData } from '../render/data.ts';

type PillarAnswer = z.infer<typeof pillarAnswer>;

const optionsSchema = z.object({ why: z.string().optional(), reveal: z.boolean().default(false) });

const EXAMPLES = `
Examples:
  $ master pillar show appserver
  $ master pillar show appserver --why eknights.openknesset.ref`;

export function addPillar(program: Command, context: Context): void {
  const pillar = program.command('pillar').description('the data that a minion sees');
  const show = pillar
    .command('show')
    .description('the compiled pillar of a minion')
    .argument('<minion>', 'its id')
    .option('--why <key.path>', 'show one value, where it was set, and what that beat')
    .option('--reveal', 'show sealed values in plain')
    .addHelpText('after', EXAMPLES);
  withCommon(show).action(async (id: string, options: unknown) => {
    const { why, reveal } = optionsSchema.parse(options);
    const { client, json } = await readCommon(context, options);
    const path = `/minions/${encodeURIComponent(id)}/pillar?reveal=${String(reveal)}`;
    const answer = await client.get(path, pillarAnswer);
    const { terminal } = context;
    if (why !== undefined) return explain(context, { answer, path: why, id, json });
    if (json) return terminal.out(jsonText(answer.pillar));
    for (const line of renderData(answer.pillar)) terminal.out(line);
  });
}

function explain(
  { terminal }: Context,
  { answer, path, id, json }: { answer: PillarAnswer; path: string; id: string; json: boolean },
): void {
  const { pillar, origins } = answer;
  const value = valueAt(pillar, path);
  const about = origins.filter(
    (origin) => origin.path === path || origin.path.startsWith(`${path}.`),
  );
  if (value === undefined) {
    const hint = didYouMean(
      path,
      origins.map((origin) => origin.path),
    );
    const message = `Cannot explain "${path}": the pillar of "${id}" has no such value${hint}`;
    throw new ConductorError('NOT_FOUND', message);
  }
  if (json) return terminal.out(jsonText({ path, value, origins: about }));
  for (const line of renderData({ [path]: value })) terminal.out(line);
  for (const origin of about) {
    const name = origin.path === path ? '' : `${origin.path}  `;
    terminal.out(`  ${name}set at ${showPlace(origin.place)}`);
    for (const place of origin.beat) terminal.out(`  ${name}beat   ${showPlace(place)}`);
  }
}

/** The value at a dotted path; keys with dots in them are found too. */
function valueAt(data: unknown, path: string): unknown {
  if (typeof data !== 'object' || data === null) return undefined;
  for (const [key, value] of Object.entries(data)) {
    if (key === path) return value;
    if (!path.startsWith(`${key}.`)) continue;
    const below = valueAt(value, path.slice(key.length + 1));
    if (below !== undefined) return below;
  }
  return undefined;
}
