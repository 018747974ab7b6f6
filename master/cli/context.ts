import type { Command } from 'commander';
import { z } from 'zod';
import {
  DEFAULT_CONFIG_FILE,
  type MasterConfig,
  readMasterConfig,
} from '../config/master-config.ts';
import { type Client, createClient } from './client.ts';
import type { Terminal } from './terminal.ts';

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal;
  /** The program's exit code, if it is to be another than 0. */
  exit(code: number): void;
}

const commonOptions = z.object({
  config: z.string().optional(),
  socket: z.string().optional(),
  json: z.boolean().default(false),
});

/** The options that commands share; documented once, here. */
export function withCommon(command: Command, { json = true } = {}): Command {
  command
    .option('--config <file>', `configuration file (default: ${DEFAULT_CONFIG_FILE})`)
    .option('--socket <path>', 'socket of the master (default: from the configuration)');
  return json ? command.option('--json', 'print one JSON document') : command;
}

/**
 * The option that says which minions. It must be given; that it is missing is told after any option
 * that is unknown, for that may be a misspelt `--target`.
 */
export function withTarget(command: Command): Command {
  return command
    .option('-t, --target <target>', 'which minions: ids, groups, globs, expressions (required)')
    .hook('preAction', () => {
      if (command.getOptionValue('target') !== undefined) return;
      command.error("error: required option '-t, --target <target>' not specified");
    });
}

export interface Common {
  readonly json: boolean;
  readonly config: MasterConfig;
  readonly client: Client;
}

/** Reads the configuration under the shared options of a command line. */
export async function readCommon(
  { terminal }: Context,
  options: unknown,
  flags: Readonly<Record<string, string | undefined>> = {},
): Promise<Common> {
  const { config: file = null, socket, json } = commonOptions.parse(options);
  const config = await readMasterConfig({
    file,
    environment: terminal.environment,
    flags: { socket, ...flags },
  });
  return { json, config, client: createClient(config.socket) };
}
