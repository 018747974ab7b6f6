import type { Command } from 'commander';
import { z } from 'zod';
import { formatSealingKey, seal } from '../../protocol/seal.ts';
import { ConductorError } from '../../shared/errors.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { readSealingKey } from '../cli/sealing-key.ts';

const optionsSchema = z.object({
  key: z.string().optional(),
  printKey: z.boolean().default(false),
});

const EXAMPLES = `
Examples:
  $ pwgen 30 1 | master seal            # prints what follows "password: " in a pillar file: !sealed "…"
  $ master seal < secret.txt
  $ master seal --key cdr1seal:… < secret.txt     # on any machine`;

export function addSeal(program: Command, context: Context): void {
  const command = program
    .command('seal')
    .description('seal a text from standard input, so that only the master can open it')
    .option('--key <key>', "the master's public sealing key (default: of the master here)")
    .option('--print-key', 'print that public key and seal nothing')
    .addHelpText('after', EXAMPLES);
  withCommon(command).action(async (options: unknown) => {
    const { key, printKey } = optionsSchema.parse(options);
    const { config, json } = await readCommon(context, options);
    const publicKey = await readSealingKey(key, config);
    const { terminal } = context;
    if (printKey) {
      const shown = formatSealingKey(publicKey);
      return terminal.out(json ? JSON.stringify({ key: shown }) : shown);
    }
    if (terminal.canAsk) terminal.err('type the text to seal, then Ctrl-D:');
    // The line's end that a shell adds is no part of a secret.
    const text = (await terminal.input()).replace(/\r?\n$/u, '');
    if (text === '') throw new ConductorError('USAGE', 'Cannot seal: standard input is empty');
    const sealed = seal(publicKey, text);
    terminal.out(json ? JSON.stringify({ sealed }) : `!sealed "${sealed}"`);
  });
}
