import type { Command } from 'commander';
import { join } from 'node:path';
import { openJournal } from '../engine/owed.ts';
import { ConductorError } from '../../shared/errors.ts';
import { renderDebt } from '../../shared/render-origin.ts';
import { configFor, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

export function addOwed(program: Command, context: Context): void {
  withCommon(program.command('owed'))
    .description('Print the reactions that this machine owes: who, to whose change, since when')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nThe next run makes them, whatever it changes itself.')
    .action(async ({ json = false, ...options }: CommonOptions & { json?: boolean }) => {
      const { terminal } = context;
      const { state_directory: stateDirectory } = await configFor(context, options);
      const path = join(stateDirectory, 'owed.json');
      const journal = openJournal(path, { dryRun: true, onCorrupt: refuse });
      const owed = journal.all();
      if (json) return terminal.out(JSON.stringify({ owed }));
      if (owed.length === 0) return terminal.out('nothing is owed');
      for (const debt of owed) terminal.out(renderDebt(debt));
    });
}

function refuse(why: string): never {
  const help = 'the next run makes every reaction that there can be';
  throw new ConductorError('STATE_DIRECTORY_INVALID', `Cannot tell what is owed: ${why}; ${help}`);
}
