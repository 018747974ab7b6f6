import type { Command } from 'commander';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { manualPage, renderManualPage, type Documented } from '../render/manual.ts';
import { renderTable } from '../render/table.ts';
import { z } from 'zod';

export function addDocs(program: Command, context: Context): void {
  const command = program
    .command('docs')
    .description(
      'the manual of state types: of Conductor’s and of those that the tree brings along',
    )
    .argument('[type]', 'one of them, such as file.managed')
    .option('--tree <dir>', 'tree directory (default: from the configuration)')
    .addHelpText('after', '\nExamples:\n  $ master docs\n  $ master docs file.managed');
  withCommon(command).action(async (type: string | undefined, options: unknown) => {
    const { tree } = z.object({ tree: z.string().optional() }).parse(options);
    const { json, config } = await readCommon(context, options);
    const stateTypes = await typesFor(type, tree ?? config.tree);
    const { terminal } = context;
    if (type === undefined) {
      const pages = [...stateTypes.values()].map(manualPage);
      if (json) return terminal.out(JSON.stringify(pages));
      const rows = pages.map(({ name, description }) => [name, description.split('\n')[0] ?? '']);
      for (const line of renderTable(['type', 'what it does'], rows, terminal)) terminal.out(line);
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

/** With those of the tree, unless what is asked for comes with Conductor. */
async function typesFor(
  type: string | undefined,
  directory: string,
): Promise<ReadonlyMap<string, Documented>> {
  const { stateTypes } = await import('../../minion/state-types/index.ts');
  if (type !== undefined && stateTypes.has(type)) return stateTypes;
  const { documentedTypes } = await import('../tree-manual.ts');
  const own = await documentedTypes(directory);
  return new Map([...stateTypes, ...own.map((one) => [one.name, one] as const)]);
}
