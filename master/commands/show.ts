import type { Command } from 'commander';
import { z } from 'zod';
import { showPlace } from '../../language/place.ts';
import { jsonText } from '../../shared/json-text.ts';
import { escapeControls } from '../../shared/log.ts';
import { catalogAnswer } from '../api/answers.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { renderData } from '../render/data.ts';

export function addShow(program: Command, context: Context): void {
  const show = program
    .command('show')
    .description('all that a minion is to be, in order, as its last facts have it')
    .argument('<minion>', 'its id')
    .option('-v, --verbose', 'show arguments and requisites too')
    .addHelpText('after', '\nExample:\n  $ master show appserver --verbose');
  withCommon(show).action(async (id: string, options: unknown) => {
    const { verbose } = z.object({ verbose: z.boolean().default(false) }).parse(options);
    const { client, json } = await readCommon(context, options);
    const answer = await client.get(`/minions/${encodeURIComponent(id)}/catalog`, catalogAnswer);
    const { terminal } = context;
    if (json) return terminal.out(jsonText(answer));
    for (const { id: state, type, name, place, args, requisites } of answer.declarations) {
      const title = name === state ? state : `${state} (${name})`;
      terminal.out(escapeControls(`${type}  ${title}  ${showPlace(place)}`));
      if (!verbose) continue;
      for (const line of renderData(args, '    ')) terminal.out(line);
      for (const { kind, of, implied } of requisites)
        terminal.out(escapeControls(`    ${kind}: ${of.join(', ')}${implied ? ' (implied)' : ''}`));
    }
  });
}
