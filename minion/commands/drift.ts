import type { Command } from 'commander';
import { contentsDirectory, findContent } from '../engine/drift/contents.ts';
import { ConductorError } from '../../shared/errors.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { minionAtRest } from '../agent/identity.ts';
import { configFor, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

const EXAMPLES = `
Examples:
  minion drift show 2c26b46b68ff
  minion drift show 2c26b46b68ff | diff - /etc/motd`;

export function addDrift(program: Command, context: Context): void {
  const drift = program
    .command('drift')
    .description('What files held that were changed by hand and put right');
  withCommon(drift.command('show'))
    .description('Print what a file held (root only): reports of drift name its hash')
    .argument('<hash>', 'the hash as the report has it, or at least its first 8 digits')
    .addHelpText('after', EXAMPLES)
    .action(async (hash: string, options: CommonOptions) => {
      if (!/^[0-9a-f]{8,64}$/u.test(hash)) {
        const message = `Cannot show "${hash}": write the hash as a report has it (8 to 64 digits and letters a-f)`;
        throw new ConductorError('USAGE', message);
      }
      const { state_directory: stateDirectory } = await configFor(context, options);
      const atRest = await minionAtRest(nodeCrypto, stateDirectory);
      context.terminal.print(findContent(contentsDirectory(stateDirectory), hash, atRest));
    });
}
