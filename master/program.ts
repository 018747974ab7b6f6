import { Command, CommanderError } from 'commander';
import { ConductorError, messageOf } from '../shared/errors.ts';
import { EXIT, EXIT_HELP, exitCodeOf } from '../shared/exit-codes.ts';
import { escapeControls } from '../shared/log.ts';
import type { Context } from './cli/context.ts';
import type { Terminal } from './cli/terminal.ts';
import { addApply } from './commands/apply.ts';
import { addDocs } from './commands/docs.ts';
import { addDrift } from './commands/drift.ts';
import { addFacts } from './commands/facts.ts';
import { addInit } from './commands/init.ts';
import { addJobs } from './commands/jobs.ts';
import { addKeys } from './commands/keys.ts';
import { addLint } from './commands/lint.ts';
import { addNew } from './commands/new.ts';
import { addPause, addResume } from './commands/pause.ts';
import { addPillar } from './commands/pillar.ts';
import { addSchema } from './commands/schema.ts';
import { addSeal } from './commands/seal.ts';
import { addServe } from './commands/serve.ts';
import { addShow } from './commands/show.ts';
import { addPing, addStatus } from './commands/status.ts';
import { VERSION } from '../shared/version.ts';

const COMMANDS = [
  addInit,
  addServe,
  addKeys,
  addApply,
  addJobs,
  addStatus,
  addPing,
  addPause,
  addResume,
  addDrift,
  addFacts,
  addPillar,
  addShow,
  addLint,
  addNew,
  addSeal,
  addDocs,
  addSchema,
] as const;

/** The program `master`, as a whole: gives its exit code, throws nothing. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode: number = EXIT.ok;
  const context: Context = {
    terminal,
    exit(code) {
      exitCode = code;
    },
  };
  try {
    await buildProgram(context).parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, terminal);
  }
}

function buildProgram(context: Context): Command {
  const { terminal } = context;
  const program = new Command('master')
    .description('The master of Conductor: keeps the tree, and asks minions to be as it says.')
    .version(VERSION)
    .addHelpText('after', EXIT_HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/u, '')),
      writeErr: (text) => terminal.err(text.replace(/\n$/u, '')),
    });
  for (const add of COMMANDS) add(program, context);
  inheritSettings(program);
  return program;
}

/** Settings made after a command was added do not reach it by themselves. */
function inheritSettings(program: Command): void {
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    inheritSettings(command);
  }
}

function report(error: unknown, terminal: Terminal): number {
  terminal.transient('');
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const [first = '', ...rest] = messageOf(error).split('\n').map(escapeControls);
  const stack = error instanceof ConductorError || !(error instanceof Error) ? '' : error.stack;
  for (const line of [`error: ${first}`, ...rest]) terminal.err(line);
  if (stack !== undefined && stack !== '') terminal.err(stack);
  return exitCodeOf(error);
}
