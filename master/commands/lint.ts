import type { Command } from 'commander';
import { z } from 'zod';
import { ConductorError } from '../../shared/errors.ts';
import { lintAnswer } from '../api/answers.ts';
import type { Client } from '../cli/client.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';

const optionsSchema = z.object({ tree: z.string().optional(), minion: z.string().optional() });

const EXAMPLES = `
Examples:
  $ master lint                        # with the pillars of all minions, if the master answers
  $ master lint --tree .
  $ master lint --minion appserver     # all of what this one would get, with its last facts`;

export function addLint(program: Command, context: Context): void {
  const command = program
    .command('lint')
    .description('find every mistake in a tree, before any host is touched')
    .option('--tree <dir>', 'tree directory (default: from the configuration)')
    .option('--minion <id>', 'compile for this minion too (asks the master)')
    .addHelpText('after', EXAMPLES);
  withCommon(command).action(async (options: unknown) => {
    const { tree, minion } = optionsSchema.parse(options);
    if (tree !== undefined && minion !== undefined) {
      const message = 'Cannot lint: --minion is for the tree of the master, not for --tree';
      throw new ConductorError('USAGE', message);
    }
    const { client, config, json } = await readCommon(context, options);
    if (minion === undefined) {
      const { lintDirectory } = await import('../lint-directory.ts');
      const directory = tree ?? config.tree;
      const { manifest } = await lintDirectory(directory);
      if (!manifest.some(({ path }) => path.startsWith('states/')))
        throw new ConductorError(
          'TREE_INVALID',
          `Cannot lint "${directory}": there is no states/ in it`,
        );
      if (tree === undefined) await askIfThere(client);
    } else {
      await client.get(`/lint?minion=${encodeURIComponent(minion)}`, lintAnswer);
    }
    context.terminal.out(json ? JSON.stringify({ problems: 0 }) : 'no problems');
  });
}

/** A master that answers knows for whom the pillars of its tree are; without one there is nobody to ask. */
async function askIfThere(client: Client): Promise<void> {
  try {
    await client.get('/lint', lintAnswer);
  } catch (error) {
    if (!(error instanceof ConductorError) || error.code !== 'MASTER_UNREACHABLE') throw error;
  }
}
