import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { dial } from '../agent/dial.ts';
import { minionIdentity } from '../agent/identity.ts';
import { otherMaster, readTrust, writeTrust } from '../agent/trust.ts';
import type { Configuration } from '../config.ts';
import { connectMaster } from '../../protocol/connect.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { parseJoinString } from '../../protocol/join-string.ts';
import type { JoinString } from '../../protocol/join-string.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { configFor, logOf, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

interface JoinOptions extends CommonOptions {
  readonly file?: string;
  readonly tls?: boolean;
}

export function addJoin(program: Command, context: Context): void {
  withCommon(program.command('join'))
    .description('Join a master, with the join string that it has made (master keys invite)')
    .allowExcessArguments()
    .option('--file <path>', 'read the join string from this file, not from standard input')
    .option('--tls', 'reach the master by wss://')
    .addHelpText('after', '\nExample:\n  minion join --file /root/join-string')
    .action(async (options: JoinOptions, command: Command) => {
      if (command.args.length > 0) throw onCommandLine();
      const config = await configFor(context, options);
      const join = parseJoinString(await joinText(context, options.file));
      await joinMaster(context, config, join, options.tls === true);
    });
}

/** What stands on a command line can be read by every user of the machine, and stays in histories. */
function onCommandLine(): ConductorError {
  const message =
    'Cannot take a join string from the command line, where others can read it: give it on standard input, or in a file (--file); make a new one, this one is known now';
  return new ConductorError('USAGE', message);
}

async function joinText({ terminal }: Context, file: string | undefined): Promise<string> {
  if (file === undefined) return terminal.input();
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = `Cannot read the join string from "${file}": ${messageOf(cause)}`;
    throw new ConductorError('JOIN_STRING_INVALID', message, { cause });
  }
}

async function joinMaster(
  context: Context,
  config: Configuration,
  join: JoinString,
  tls: boolean,
): Promise<void> {
  const { state_directory: stateDirectory, id } = config;
  const log = logOf(context, config.log_level);
  const identity = await minionIdentity(nodeCrypto, stateDirectory);
  const trust = readTrust(stateDirectory, log);
  const pin = join.rootFingerprint;
  if (trust !== null && trust.pin !== pin) throw otherMaster(stateDirectory, trust.pin);
  const master = config.master[0] ?? (tls ? `wss://${join.address}` : join.address);
  const authority = config.tls_ca === undefined ? null : await readFile(config.tls_ca);
  const { verdict, serial, channel } = await connectMaster(await dial(master, authority), {
    crypto: nodeCrypto,
    pin,
    minimumSerial: trust?.serial ?? 0n,
    minimumVersion: config.min_version,
    id,
    identity,
    join,
  });
  await channel?.close('done');
  if (verdict !== 'accepted') throw refused(id, verdict);
  writeTrust(stateDirectory, { pin, serial, masters: [master] }, log);
  const fingerprint = fingerprintOf(nodeCrypto, identity.publicKey);
  context.terminal.out(`"${id}" (${fingerprint}) has joined the master at ${master}`);
}

function refused(id: string, verdict: 'pending' | 'refused'): ConductorError {
  const reason =
    verdict === 'pending'
      ? 'the master asks for this key to be accepted by hand'
      : 'the join string is used, expired or not for this id, or the id has another key';
  return new ConductorError('ENROLMENT_REFUSED', `Cannot join as "${id}": ${reason}`);
}
