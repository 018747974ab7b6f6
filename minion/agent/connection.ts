import type { ChannelEnd } from '../../protocol/channel.ts';
import type { Connected, MasterChannel } from '../../protocol/connect.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { nextAttempt } from './reconnect.ts';
import type { AttemptEnd, Random } from './reconnect.ts';

export interface ConnectionParts {
  readonly masters: readonly string[];
  /** Dials one master and proves each side to the other. */
  readonly connect: (master: string) => Promise<Connected>;
  /** A session's whole life. */
  readonly attend: (channel: MasterChannel, master: string) => Promise<ChannelEnd>;
  /** Waits; ends early when the agent is to stop. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
  readonly random: Random;
  readonly log: Logger;
}

/** Keeps this minion connected, to one of its masters at a time, until it is to stop. */
export async function stayConnected(parts: ConnectionParts): Promise<void> {
  const { masters, signal, random, log, sleep } = parts;
  const isOver = (): boolean => signal.aborted;
  let failures = 0;
  for (let turn = 0; !isOver();) {
    const master = masters[turn % masters.length];
    if (master === undefined) return;
    const end = await attempt(parts, master);
    if (isOver()) return;
    const next = nextAttempt(end, failures, random);
    failures = next.failures;
    // A master that was well has only renewed the session: there is no reason to look for another.
    if (end.reason !== 'renewed') turn += 1;
    log.debug({ master, inMs: Math.round(next.delayMs) }, 'Next attempt was planned');
    await sleep(next.delayMs);
  }
}

async function attempt(parts: ConnectionParts, master: string): Promise<AttemptEnd> {
  const { log } = parts;
  try {
    const { channel, verdict, retrySeconds } = await parts.connect(master);
    if (channel !== null) return await session(parts, master, channel);
    if (verdict === 'pending') {
      log.warn({ master }, 'Master has not accepted this key yet');
      return { reason: 'pending', retrySeconds };
    }
    log.error({ master }, 'Master refused this minion');
    return { reason: 'turned-away', retrySeconds };
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    log.warn({ master, code: error.code, problem: messageOf(error) }, 'Master was not reached');
    return { reason: 'unreachable' };
  }
}

async function session(
  { attend, log }: ConnectionParts,
  master: string,
  channel: MasterChannel,
): Promise<AttemptEnd> {
  const bornAt = performance.now();
  log.info({ master, session: channel.sessionId }, 'Connected to the master');
  const end = await attend(channel, master);
  const { reason, by, error } = end;
  log.info({ master, reason, by, error }, 'Connection to the master ended');
  return { ...end, livedMs: performance.now() - bornAt };
}
