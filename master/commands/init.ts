import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';

const optionsSchema = z.object({ tree: z.string().optional(), from: z.string().optional() });

const FOLDERS = ['states', 'pillars', 'templates'] as const;
const SHIPPED_TREE = '/usr/share/conductor';

export function addInit(program: Command, context: Context): void {
  const command = program
    .command('init')
    .description('make the keys, the store and the tree of a new master; safe to run again')
    .option('--tree <dir>', 'tree directory (default: from the configuration)')
    .option('--from <dir>', `a tree to start from (default: ${SHIPPED_TREE}, if it is there)`)
    .addHelpText('after', '\nExamples:\n  $ master init\n  $ master init --tree /srv/conductor');
  withCommon(command).action(async (options: unknown) => {
    const { tree, from } = optionsSchema.parse(options);
    const { config, json } = await readCommon(context, options, { tree });
    const madeTree = makeTree(config.tree, from ?? null);
    // The store's library is loaded by those who open one only.
    const { initializeState } = await import('../initialize.ts');
    const fingerprint = await initializeState(config.state_directory);
    const { terminal } = context;
    if (json) return terminal.out(JSON.stringify({ fingerprint, tree: config.tree, madeTree }));
    if (madeTree) terminal.err(`made the tree ${config.tree}`);
    terminal.out(fingerprint);
  });
}

/** A tree that is there stays as it is. */
function makeTree(tree: string, from: string | null): boolean {
  if (FOLDERS.some((folder) => existsSync(join(tree, folder)))) return false;
  try {
    const source = from ?? (existsSync(SHIPPED_TREE) ? SHIPPED_TREE : null);
    for (const folder of FOLDERS) {
      mkdirSync(join(tree, folder), { recursive: true });
      if (source !== null && (from !== null || existsSync(join(source, folder))))
        cpSync(join(source, folder), join(tree, folder), { recursive: true });
    }
    return true;
  } catch (cause) {
    const message = `Cannot make the tree "${tree}": ${messageOf(cause)}`;
    throw new ConductorError('CONFIG_INVALID', message, { cause });
  }
}
