import { setTimeout as sleep } from 'node:timers/promises';
import { runConnection, trustOrRefuse } from '../agent/agent.ts';
import type { AgentParts } from '../agent/agent.ts';
import { holdStateDirectory } from '../agent/agent-lock.ts';
import { assembleAgent } from '../agent/assemble.ts';
import type { Watcher } from '../agent/followers.ts';
import { askAgent, isAnswered } from '../agent/local-socket.ts';
import type { Configuration } from '../config.ts';
import { runEventSchema } from '../../protocol/report.ts';
import type { Report } from '../../protocol/report.ts';
import { ConductorError } from '../../shared/errors.ts';
import { configFor, logOf } from './context.ts';
import type { CommonOptions, Context } from './context.ts';
import { exitCodeOfReport, printEvent, printReport } from './render.ts';
import type { RunView } from './render.ts';

/** One refresh, now: by the agent if there is one, else by this process. Gives the exit code. */
export async function refreshNow(
  context: Context,
  options: CommonOptions,
  view: RunView,
): Promise<number> {
  const config = await configFor(context, options);
  const isRunning = await isAnswered(config.socket);
  const report = isRunning
    ? await byAgent(context, config, view)
    : await alone(context, config, view);
  return exitCodeOfReport(report);
}

async function byAgent(
  { terminal, signal }: Context,
  config: Configuration,
  view: RunView,
): Promise<Report> {
  for await (const line of askAgent(config, { ask: 'refresh' }, { signal })) {
    const event = runEventSchema.parse(JSON.parse(line));
    printEvent(terminal, view, event);
    if (event.event === 'report') return event.report;
  }
  const message = 'Cannot follow the refresh: the agent has gone; the run itself goes on';
  throw new ConductorError('CHANNEL_CLOSED', message);
}

/** How long a master may take to be reached before the refresh goes on without it. */
const CONNECT_MS = 10_000;
/** How long it may take to store the report, which is spooled in any case. */
const STORE_MS = 10_000;
const POLL_MS = 50;

async function alone(context: Context, config: Configuration, view: RunView): Promise<Report> {
  const log = logOf(context, config.log_level === 'debug' ? 'debug' : 'warn');
  trustOrRefuse({ config, log });
  const lock = await holdStateDirectory(config.state_directory);
  const stop = new AbortController();
  const { signal } = stop;
  const agent = await assembleAgent({ config, programs: context.programs, log, signal });
  const connection = runConnection({ ...agent, intentions: () => ({ nextRefresh: null }) });
  try {
    await until(() => agent.core.link.isConnected, CONNECT_MS);
    const report = await refreshed(context, agent, view);
    await until(() => !agent.core.spool.has(report.job), STORE_MS);
    return report;
  } finally {
    stop.abort();
    await connection;
    lock.close();
  }
}

function refreshed(
  { terminal, signal }: Context,
  { core }: Pick<AgentParts, 'core'>,
  view: RunView,
): Promise<Report> {
  return new Promise((resolve, reject) => {
    const watcher: Watcher = {
      event: (event) => printEvent(terminal, view, event),
      end: (job) => {
        const report = core.spool.get(job);
        if (report === null) return reject(new Error(`the report of ${job} is gone`));
        printReport(terminal, view, report);
        resolve(report);
      },
    };
    core.refresh({ watcher });
    signal.addEventListener('abort', () => {
      const job = core.runs.running?.options.job;
      if (job !== undefined) core.runs.cancel(job);
    });
  });
}

async function until(isTrue: () => boolean, milliseconds: number): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!isTrue() && performance.now() < deadline) await sleep(POLL_MS);
}
