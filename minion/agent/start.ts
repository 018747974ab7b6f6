import { execFile } from 'node:child_process';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { EXIT, exitCodeOf } from '../../shared/exit-codes.ts';
import { createLogger, escapeControls, logFormat } from '../../shared/log.ts';
import { minionConfigSchema } from '../config-schema.ts';
import type { Configuration } from '../config.ts';
import type { Programs } from '../programs.ts';
import { runResident } from './resident.ts';

/**
 * `minion agent` as a process that stays: what it takes to read a command line and a configuration
 * is loaded by a child that ends, and never by this process. Gives the exit code.
 */
export async function startAgent(
  flags: readonly string[],
  programs: Programs,
  { environment, stderr }: Pick<NodeJS.Process, 'stderr'> & { environment: NodeJS.ProcessEnv },
): Promise<number> {
  const config = await readConfigApart(flags, programs);
  if (typeof config === 'number') return config;
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const log = createLogger({
    name: 'minion',
    level: config.log_level,
    format: logFormat(environment),
    write: (line) => void stderr.write(line),
  });
  try {
    await runResident({ config, programs, log, environment, signal: stop.signal });
    return EXIT.ok;
  } catch (error) {
    stderr.write(`error: ${escapeControls(messageOf(error))}\n`);
    if (!(error instanceof ConductorError)) log.error({ error }, 'Agent failed');
    return exitCodeOf(error);
  }
}

/** The exit code of the child if the configuration is wrong: then it has said why. */
function readConfigApart(
  flags: readonly string[],
  { minion }: Programs,
): Promise<Configuration | number> {
  return new Promise((resolve, reject) => {
    const words = [minion, 'config', '--json', ...flags];
    const child = execFile(process.execPath, words, (error, stdout) => {
      if (error === null) resolve(parseConfig(stdout));
      else if (typeof error.code === 'number') resolve(error.code);
      else reject(error);
    });
    child.stderr?.pipe(process.stderr, { end: false });
  });
}

function parseConfig(text: string): Configuration {
  const { id, ...config } = minionConfigSchema.parse(JSON.parse(text));
  if (id !== undefined) return { id, ...config };
  throw new ConductorError('CONFIG_INVALID', 'Cannot start the agent: it has no id');
}
