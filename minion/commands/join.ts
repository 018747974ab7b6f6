import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { dial } from '../agent/dial.ts';
import { minionIdentity } from '../agent/identity.ts';
import { otherMaster, readTrust, writeTrust } from '../agent/trust.ts';
import type { Configuration } from '../config.ts';
import { connectMaster } from '../../protocol/connect.ts';
import type { Connected } from '../../protocol/connect.ts';
import type { SigningKey } from '../../protocol/crypto.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { parseJoinString } from '../../protocol/join-string.ts';
import type { JoinString } from '../../protocol/join-string.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { isAgentConnected, wakeAgent } from './running-agent.ts';
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
  const master = masterOf(config, join, tls);
  const knows = trust?.masters.includes(master) === true;
  if (knows && (await isAgentConnected(config))) return sayJoined(context, id, master);
  const greeting = { config, pin, minimumSerial: trust?.serial ?? 0n, identity, master };
  const { isOld, serial } = await enrolled(greeting, join, { mayBeMinion: trust !== null });
  writeTrust(stateDirectory, { pin, serial, masters: [master] }, log);
  const fingerprint = fingerprintOf(nodeCrypto, identity.publicKey);
  if (isOld) sayJoined(context, id, master);
  else context.terminal.out(`"${id}" (${fingerprint}) has joined the master at ${master}`);
  const hint = await wakeAgent(config);
  if (hint !== null) context.terminal.out(hint);
}

function masterOf({ master: [configured] }: Configuration, join: JoinString, tls: boolean): string {
  return configured ?? (tls ? `wss://${join.address}` : join.address);
}

/** Uses the string, unless the master has accepted this minion's key already. Throws ENROLMENT_REFUSED. */
async function enrolled(
  greeting: Greeting,
  join: JoinString,
  { mayBeMinion }: { readonly mayBeMinion: boolean },
): Promise<{ readonly isOld: boolean; readonly serial: bigint }> {
  const known = mayBeMinion ? await greeted(greeting, null) : null;
  if (known?.verdict === 'accepted') return { isOld: true, serial: known.serial };
  const { verdict, serial } = await greeted(greeting, join);
  if (verdict !== 'accepted') throw refused(greeting.config.id, verdict);
  return { isOld: false, serial };
}

function sayJoined({ terminal }: Context, id: string, master: string): void {
  terminal.out(`"${id}" is a minion of the master at ${master} already: the string was not used`);
  terminal.out(`to change its groups, on the master: master keys accept ${id} --group GROUP`);
}

interface Greeting {
  readonly config: Configuration;
  readonly pin: string;
  readonly minimumSerial: bigint;
  readonly identity: SigningKey;
  readonly master: string;
}

/** What the master says of this minion, and of the string if it is given one. */
async function greeted(
  { config, pin, minimumSerial, identity, master }: Greeting,
  join: JoinString | null,
): Promise<Pick<Connected, 'verdict' | 'serial'>> {
  const authority = config.tls_ca === undefined ? null : await readFile(config.tls_ca);
  const wire = await dial(master, authority);
  const connecting = connectMaster(wire, {
    crypto: nodeCrypto,
    pin,
    minimumSerial,
    minimumVersion: config.min_version,
    id: config.id,
    identity,
    ...(join === null ? {} : { join }),
  });
  const connected = await connecting.catch((error: unknown) => {
    throw explained(error, master);
  });
  await connected.channel?.close('done');
  return connected;
}

/** A master whose root key is another cannot read the first message, and says nothing. */
function explained(error: unknown, master: string): unknown {
  if (!(error instanceof ConductorError) || error.code !== 'HANDSHAKE_FAILED') return error;
  if (!error.message.endsWith('closed the connection')) return error;
  const reasons = `the join string is of another master than the one at ${master} (its root key differs), or the address is wrong`;
  return new ConductorError(error.code, `${error.message}: ${reasons}`, { cause: error });
}

function refused(id: string, verdict: 'pending' | 'refused'): ConductorError {
  const reason =
    verdict === 'pending'
      ? 'the master asks for this key to be accepted by hand'
      : 'the join string is used, expired or not for this id, or the id has another key';
  return new ConductorError('ENROLMENT_REFUSED', `Cannot join as "${id}": ${reason}`);
}
