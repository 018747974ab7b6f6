#!/usr/bin/env node
import type { Ending } from './run/endings.ts';
import { programsBeside } from './programs.ts';

const argv = process.argv.slice(2);
const programs = programsBeside(import.meta.url);

if (isResident(argv)) {
  const { startAgent } = await import('./agent/start.ts');
  const { env: environment, stderr } = process;
  process.umask(0o077);
  // Whatever a start that failed has left open keeps nobody waiting.
  process.exit(await startAgent(argv.slice(1), programs, { environment, stderr }));
} else {
  const { runCommandLine } = await import('./program.ts');
  // As of an agent's run: what files get is not to depend on who asks.
  if (argv[0] === 'apply') process.umask(0o022);
  const { realTerminal } = await import('./commands/terminal.ts');
  const cancel = new AbortController();
  const { enterRunGroup: enterGroup } = await import('./host/run-group.ts');
  const { endingBy } = await import('./run/endings.ts');
  for (const name of endings(argv)) process.once(name, () => cancel.abort(endingBy(name)));
  const { signal } = cancel;
  const terminal = realTerminal();
  const exitCode = await runCommandLine(argv, { terminal, programs, signal, enterGroup });
  process.exitCode = exitCode;
}

/** A run ends in order even if its terminal goes away, and nothing that it has started stays. */
function endings([command]: readonly string[]): readonly Ending[] {
  if (command === 'apply') return ['SIGINT', 'SIGTERM', 'SIGHUP'];
  // Nothing else is under way that has to end in order.
  return command === 'agent' ? ['SIGINT'] : [];
}

/** The agent that stays loads none of what the other commands need. */
function isResident([command, ...flags]: readonly string[]): boolean {
  const others = ['--refresh-now', '--help', '-h'];
  return command === 'agent' && !flags.some((flag) => others.includes(flag));
}
