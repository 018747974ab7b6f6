import type { Command } from 'commander';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Context } from '../cli/context.ts';
import { manualPage, renderManualPage } from '../render/manual.ts';
import { renderTable } from '../render/table.ts';
import { z } from 'zod';

export function addDocs(program: Command, context: Context): void {
  program
    .command('docs')
    .description('the manual of state types')
    .argument('[type]', 'one of them, such as file.managed')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  $ master docs\n  $ master docs file.managed')
    .action(async (type: string | undefined, options: unknown) => {
      const { json } = z.object({ json: z.boolean().default(false) }).parse(options);
      const { stateTypes } = await import('../../minion/state-types/index.ts');
      const { terminal } = context;
      if (type === undefined) {
        const pages = [...stateTypes.values()].map(manualPage);
        if (json) return terminal.out(JSON.stringify(pages));
        const rows = pages.map(({ name, description }) => [name, description.split('\n')[0] ?? '']);
        for (const line of renderTable(['type', 'what it does'], rows, terminal))
          terminal.out(line);
        return;
      }
      const found = stateTypes.get(type);
      if (found === undefined) {
        const message = `Cannot explain "${type}": there is no such state type`;
        throw new ConductorError('NOT_FOUND', `${message}${didYouMean(type, stateTypes.keys())}`);
      }
      const page = manualPage(found);
      const lines = json ? [JSON.stringify(page)] : renderManualPage(page);
      for (const line of lines) terminal.out(line);
    });
}
