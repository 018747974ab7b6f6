import * as z from 'zod/mini';
import { askAgent, isAnswered } from '../agent/local-socket.ts';
import type { LocalRequest } from '../agent/local-request.ts';
import type { Configuration } from '../config.ts';

const statusSchema = z.object({ isConnected: z.boolean() });
const reconnectSchema = z.object({ isReconnecting: z.literal(true) });

/** Whether an agent runs here whose master has accepted it. */
export async function isAgentConnected(config: Configuration): Promise<boolean> {
  const status = statusSchema.safeParse(await firstAnswer(config, { ask: 'status' }));
  return status.success && status.data.isConnected;
}

/** Has a running agent connect now, whatever it waits for. What is left to do, if that cannot be. */
export async function wakeAgent(config: Configuration): Promise<string | null> {
  if (!(await isAnswered(config.socket))) return null;
  const answer = reconnectSchema.safeParse(await firstAnswer(config, { ask: 'reconnect' }));
  return answer.success
    ? 'its agent connects now'
    : 'its agent does not know of it yet: systemctl restart conductor-minion';
}

/** `null` if no agent is running, or it goes away. */
async function firstAnswer(config: Configuration, request: LocalRequest): Promise<unknown> {
  if (!(await isAnswered(config.socket))) return null;
  for await (const line of askAgent(config, request)) return JSON.parse(line);
  return null;
}
