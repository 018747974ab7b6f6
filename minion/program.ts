import { Command, CommanderError } from 'commander';
import { ConductorError, messageOf } from '../shared/errors.ts';
import { EXIT, EXIT_HELP, exitCodeOf } from '../shared/exit-codes.ts';
import { escapeControls } from '../shared/log.ts';
import { VERSION } from '../shared/version.ts';
import { addAgent } from './commands/agent.ts';
import { addApply } from './commands/apply.ts';
import { addConfig } from './commands/config.ts';
import type { Context } from './commands/context.ts';
import { addDrift } from './commands/drift.ts';
import { addFacts } from './commands/facts.ts';
import { addFingerprint } from './commands/fingerprint.ts';
import { addJoin } from './commands/join.ts';
import { addOwed } from './commands/owed.ts';
import { addPause, addResume } from './commands/pause.ts';
import { addStatus } from './commands/status.ts';

const COMMANDS = [
  addAgent,
  addApply,
  addFacts,
  addJoin,
  addFingerprint,
  addStatus,
  addPause,
  addResume,
  addOwed,
  addDrift,
  addConfig,
] as const;

/** The program `minion`, as a whole: gives its exit code, throws nothing. */
export async function runCommandLine(
  argv: readonly string[],
  parts: Omit<Context, 'exit'>,
): Promise<number> {
  let exitCode: number = EXIT.ok;
  const context: Context = {
    ...parts,
    exit: (code) => {
      exitCode = code;
    },
  };
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, context);
  }
}

function buildProgram(context: Context): Command {
  const { terminal } = context;
  const program = new Command('minion')
    .description('The minion of Conductor: makes this machine what its master’s tree says.')
    .version(VERSION)
    .addHelpText('after', EXIT_HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/u, '')),
      writeErr: (text) => terminal.err(text.replace(/\n$/u, '')),
    });
  for (const add of COMMANDS) add(program, context);
  return program;
}

function report(error: unknown, { terminal }: Context): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const [first = '', ...rest] = messageOf(error).split('\n').map(escapeControls);
  for (const line of [`error: ${first}`, ...rest]) terminal.err(line);
  if (!(error instanceof ConductorError) && error instanceof Error) terminal.err(error.stack ?? '');
  return exitCodeOf(error);
}
