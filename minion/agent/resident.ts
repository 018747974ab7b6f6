import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../shared/log.ts';
import type { Configuration } from '../config.ts';
import type { Programs } from '../programs.ts';
import { holdStateDirectory } from './agent-lock.ts';
import { createAlarm } from './alarm.ts';
import { runConnection, trustOrRefuse } from './agent.ts';
import { assembleAgent } from './assemble.ts';
import { startIntending } from './intend.ts';
import { answerLocally } from './local-answers.ts';
import { listenLocally } from './local-socket.ts';
import { notifyReady } from './notify.ts';

export interface ResidentParts {
  readonly config: Configuration;
  readonly programs: Programs;
  readonly log: Logger;
  readonly environment: NodeJS.ProcessEnv;
  /** The agent is to stop. A run that is under way goes on without it. */
  readonly signal: AbortSignal;
}

/** How long the master may take to hear that the agent stops. */
const STOP_MS = 5_000;

/** The resident agent's whole life. Nothing of it keeps the process when it has ended. */
export async function runResident(parts: ResidentParts): Promise<void> {
  const { config, log } = parts;
  trustOrRefuse({ config, log });
  const lock = await holdStateDirectory(config.state_directory);
  try {
    await reside(parts);
  } finally {
    lock.close();
  }
}

async function reside(parts: ResidentParts): Promise<void> {
  const { config, log, environment, signal } = parts;
  const { id: minion, socket } = config;
  const agent = await assembleAgent(parts);
  const { core, version } = agent;
  const alarm = createAlarm(signal);
  const { scheduler, intentions } = startIntending(core, config, log);
  const local = { core, minion, version, intentions, reconnect: alarm.ring };
  const server = await listenLocally({
    path: socket,
    log,
    answer: (request, caller) => answerLocally(local, request, caller),
  }).catch((error: unknown) => {
    scheduler.stop();
    throw error;
  });
  core.runs.recover();
  notifyReady(environment, log);
  log.info({ minion, version, ...intentions() }, 'Agent started');
  try {
    await endedBy(signal, runConnection({ ...agent, intentions, sleep: alarm.sleep }));
  } finally {
    scheduler.stop();
    core.runs.stop();
    server.close();
    log.info({ minion }, 'Agent stopped');
  }
}

/** When told to stop, waits for the work to end, but not for ever. */
async function endedBy(signal: AbortSignal, work: Promise<void>): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([work, stopped]);
  if (signal.aborted) await Promise.race([work, sleep(STOP_MS, undefined, { ref: false })]);
}
