import type { Command } from 'commander';
import { configFor, withCommon } from './context.ts';
import type { CommonOptions, Context } from './context.ts';

export function addConfig(program: Command, context: Context): void {
  withCommon(program.command('config'))
    .description('Check the configuration and print it, with every default filled in')
    .option('--json', 'print one JSON document')
    .action(async ({ json = false, ...options }: CommonOptions & { json?: boolean }) => {
      const config = await configFor(context, options);
      const { terminal } = context;
      if (json) terminal.out(JSON.stringify(config));
      else
        for (const [key, value] of Object.entries(config))
          terminal.out(`${key}: ${JSON.stringify(value)}`);
    });
}
