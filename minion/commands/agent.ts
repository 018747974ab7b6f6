import type { Command } from 'commander';
import { withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';
import { refreshNow } from './refresh.ts';

interface AgentOptions extends CommonOptions {
  readonly refreshNow?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** The resident agent itself starts in `resident.ts`, without a command line's libraries. */
export function addAgent(program: Command, context: Context): void {
  withCommon(program.command('agent'))
    .description('Stay connected to the master, and refresh by schedule')
    .option('--refresh-now', 'have one refresh done now, by the agent if it is running, and end')
    .option('--json', 'with --refresh-now: print the report as one JSON document')
    .option('-v, --verbose', 'with --refresh-now: show unchanged and skipped states too')
    .action(async ({ json = false, verbose = false, ...options }: AgentOptions) => {
      context.exit(await refreshNow(context, options, { json, verbose }));
    });
}
