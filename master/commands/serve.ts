import type { Command } from 'commander';
import { z } from 'zod';
import { EXIT } from '../../shared/exit-codes.ts';
import { createLogger, logFormat } from '../../shared/log.ts';
import { readCommon, withCommon, type Context } from '../cli/context.ts';
import { becomeOwner } from '../state-directory.ts';

const optionsSchema = z.object({
  listen: z.string().optional(),
  tree: z.string().optional(),
  stateDirectory: z.string().optional(),
  logLevel: z.string().optional(),
});

export function addServe(program: Command, context: Context): void {
  const command = program
    .command('serve')
    .description('run the master until it is told to stop')
    .option('--listen <address:port>', 'where minions connect')
    .option('--tree <dir>', 'tree directory')
    .option('--state-directory <dir>', 'state directory')
    .option('--log-level <level>', 'debug, info, warn or error')
    .addHelpText('after', '\nExample:\n  $ master serve --listen 0.0.0.0:4510');
  withCommon(command, { json: false }).action(async (options: unknown) => {
    const { listen, tree, stateDirectory, logLevel } = optionsSchema.parse(options);
    const flags = { listen, tree, state_directory: stateDirectory, log_level: logLevel };
    const { config } = await readCommon(context, options, flags);
    const log = createLogger({
      name: 'conductor-master',
      level: config.log_level,
      format: logFormat(process.env),
      write: (line) => process.stderr.write(line),
    });
    // Node itself would end with 1, after which systemd does not start us again.
    process.on('uncaughtException', (error) => {
      log.error({ error }, 'Master failed');
      process.exit(EXIT.bug);
    });
    await becomeOwner(config.state_directory);
    // Only the daemon needs all of this: the other commands start faster without.
    const { notifyReady, startMaster } = await import('../serve.ts');
    const { stateTypes } = await import('../../minion/state-types/index.ts');
    const master = await startMaster({ config, states: stateTypes, log });
    await notifyReady(log);
    await signalled();
    await master.stop();
  });
}

/** The first signal ends it in order; a second one at once. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
