import type { Command } from 'commander';
import { z } from 'zod';
import { pillarSchema, topFileSchema } from '../../language/editor/data-schemas.ts';
import { stateFileSchema } from '../../language/editor/state-file-schema.ts';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Context } from '../cli/context.ts';

const KINDS = ['states', 'top', 'pillar', 'pillar-top'] as const;

const EXAMPLES = `
Examples:
  $ master schema states > states.schema.json
  $ master schema states --tree . > states.schema.json   # with the state types of this tree
  $ master schema pillar > pillar.schema.json

Of a tree's files, an editor's YAML language server takes the schema from its settings
("yaml.schemas"), or from a first line:
  # yaml-language-server: $schema=../states.schema.json`;

const optionsSchema = z.object({ tree: z.string().optional() });

export function addSchema(program: Command, { terminal }: Context): void {
  program
    .command('schema')
    .description('the JSON Schema of state files, top files or pillars, for editors')
    .argument('<kind>', KINDS.join(', '))
    .option('--tree <dir>', 'a tree whose own state types are to be in it (states/_types)')
    .addHelpText('after', EXAMPLES)
    .action(async (word: string, options: unknown) => {
      const { tree } = optionsSchema.parse(options);
      const kind = KINDS.find((known) => known === word);
      if (kind === undefined) {
        const message = `Cannot print the schema of "${word}": it is one of ${KINDS.join(', ')}`;
        throw new ConductorError('USAGE', `${message}${didYouMean(word, KINDS)}`);
      }
      terminal.out(JSON.stringify(await schemaOf(kind, tree), null, 2));
    });
}

async function schemaOf(kind: (typeof KINDS)[number], directory: string | undefined) {
  if (kind === 'pillar') return pillarSchema();
  if (kind === 'top') return topFileSchema();
  if (kind === 'pillar-top') return topFileSchema('pillars');
  const { stateTypes } = await import('../../minion/state-types/index.ts');
  if (directory === undefined) return stateFileSchema(stateTypes);
  const { readDirectory } = await import('../../language/source.ts');
  const { schemasOf } = await import('../custom-types.ts');
  return stateFileSchema(await schemasOf(await readDirectory(directory), stateTypes));
}
