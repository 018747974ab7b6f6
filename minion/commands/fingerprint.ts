import type { Command } from 'commander';
import { minionIdentity } from '../agent/identity.ts';
import { toHex } from '../../protocol/bytes.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { configFor, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

export function addFingerprint(program: Command, context: Context): void {
  withCommon(program.command('fingerprint'))
    .description("Print the fingerprint of this minion's key (made now, if there is none)")
    .option('--json', 'print one JSON document, with the public key')
    .action(async ({ json = false, ...options }: CommonOptions & { json?: boolean }) => {
      const { id, state_directory: stateDirectory } = await configFor(context, options);
      const { publicKey } = await minionIdentity(nodeCrypto, stateDirectory);
      const fingerprint = fingerprintOf(nodeCrypto, publicKey);
      const document = { id, fingerprint, publicKey: toHex(publicKey) };
      context.terminal.out(json ? JSON.stringify(document) : fingerprint);
    });
}
