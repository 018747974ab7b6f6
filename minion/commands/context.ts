import type { Command } from 'commander';
import { DEFAULT_CONFIG, readConfig } from '../config.ts';
import type { Configuration } from '../config.ts';
import { createLogger, logFormat } from '../../shared/log.ts';
import type { Logger } from '../../shared/log.ts';
import type { RunGroup } from '../host/run-group.ts';
import type { Programs } from '../programs.ts';
import type { Terminal } from './terminal.ts';

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal;
  readonly programs: Programs;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Gives this process a cgroup of its own; absent if it is more than one command. */
  readonly enterGroup?: () => Promise<RunGroup>;
  /** The program's exit code, if it is to be another than 0. */
  exit(code: number): void;
}

/** The settings that every command takes as flags. */
export interface CommonOptions {
  readonly config?: string;
  readonly id?: string;
  readonly master?: string;
  readonly stateDirectory?: string;
  readonly socket?: string;
  readonly logLevel?: string;
}

export function withCommon(command: Command): Command {
  return command
    .option('--config <file>', `configuration file (default: ${DEFAULT_CONFIG})`)
    .option('--id <id>', "this minion's id (default: the host's name)")
    .option('--master <address>', 'host:port, ws://host:port or wss://host:port')
    .option('--state-directory <path>', 'where the minion keeps its state')
    .option('--socket <path>', "the agent's socket")
    .option('--log-level <level>', 'debug, info, warn or error');
}

export function configFor(context: Context, options: CommonOptions): Promise<Configuration> {
  const { config: file, id, master, stateDirectory, socket, logLevel } = options;
  return readConfig({
    file,
    flags: { id, master, state_directory: stateDirectory, socket, log_level: logLevel },
    environment: context.terminal.environment,
  });
}

/** A log on standard error. */
export function logOf(
  { terminal }: Pick<Context, 'terminal'>,
  level: Configuration['log_level'],
): Logger {
  return createLogger({
    name: 'minion',
    level,
    format: logFormat(terminal.environment),
    write: (line) => terminal.err(line.trimEnd()),
  });
}
