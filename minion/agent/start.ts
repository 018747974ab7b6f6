import { execFile } from 'node:child_process';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { EXIT, exitCodeOf } from '../../shared/exit-codes.ts';
import { createLogger, escapeControls, logFormat } from '../../shared/log.ts';
import { minionConfigSchema } from '../config-schema.ts';
import type { Logger } from '../../shared/log.ts';
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
  const log = createLogger({
    name: 'minion',
    level: config.log_level,
    format: logFormat(environment),
    write: (line) => void stderr.write(line),
  });
  const told = (): void => {
    stop.abort();
    setTimeout(giveUp, PATIENCE_MS, log).unref();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, told);
  // Node itself would end with 1, after which systemd does not start us again.
  process.on('uncaughtException', (error) => {
    log.error({ error }, 'Agent failed');
    process.exit(EXIT.bug);
  });
  try {
    await runResident({ config, programs, log, environment, signal: stop.signal });
    return EXIT.ok;
  } catch (error) {
    stderr.write(`error: ${escapeControls(messageOf(error))}\n`);
    if (!(error instanceof ConductorError)) log.error({ error }, 'Agent failed');
    return isPassing(error) ? EXIT.bug : exitCodeOf(error);
  }
}

/** Longer than an orderly stop takes at most. */
const PATIENCE_MS = 8_000;

/** Whoever is told to stop stops, even if what it is in the middle of never ends. */
function giveUp(log: Logger): void {
  log.error({ milliseconds: PATIENCE_MS }, 'Agent did not stop in time');
  process.exit(EXIT.bug);
}

/**
 * Whether starting again may help, without anybody changing the configuration: a full disk gets
 * space, a refresh that holds the state directory ends.
 */
function isPassing(error: unknown): boolean {
  if (!(error instanceof ConductorError)) return false;
  return error.code === 'HOST_FILE_FAILED' || error.code === 'STATE_DIRECTORY_HELD';
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
