import { ConductorError } from '../shared/errors.ts';
import { concat, readerOf, u64, u8 } from './bytes.ts';
import { RECORD } from './records.ts';

export interface ChannelTiming {
  readonly pingMs: number;
  readonly deadMs: number;
  /** The session ends when it is idle after this (+-20 %), and `overtimeMs` later in any case. */
  readonly lifeMs: number;
  readonly overtimeMs: number;
  /** How long an orderly end may take. */
  readonly closeMs: number;
}

export const CHANNEL_TIMING: ChannelTiming = {
  pingMs: 20_000,
  deadMs: 45_000,
  lifeMs: 12 * 3_600_000,
  overtimeMs: 600_000,
  closeMs: 5_000,
};

const PING = 0;
const PONG = 1;

export interface HeartbeatEvents {
  /** Sends a plaintext before everything else; resolves when it has left, or cannot leave. */
  readonly send: (plaintext: Uint8Array) => Promise<void>;
  readonly isIdle: () => boolean;
  /** Nothing can be heard just now, because this side has paused the other. */
  readonly isDeaf: () => boolean;
  readonly dead: () => void;
  readonly expired: () => void;
}

export interface Heartbeat {
  /** Something was heard from the other side. */
  heard(): void;
  /** The PONG for a heartbeat record without its first byte; `null` if none is due. */
  answer(body: Uint8Array): Uint8Array | null;
  stop(): void;
}

/** Notices that the other side is gone, or that the session is old. */
export function startHeartbeat(timing: ChannelTiming, events: HeartbeatEvents): Heartbeat {
  const life = timing.lifeMs * (0.8 + 0.4 * Math.random());
  const bornAt = performance.now();
  let heardAt = bornAt;
  let isPinging = false;
  let pings = 0n;

  const ping = async (): Promise<void> => {
    isPinging = true;
    pings += 1n;
    await events.send(concat(u8(RECORD.heartbeat), u8(PING), u64(pings)));
    isPinging = false;
  };
  const beat = (): void => {
    const now = performance.now();
    if (events.isDeaf()) heardAt = now;
    if (now - heardAt > timing.deadMs) {
      events.dead();
      return;
    }
    const overtime = now - bornAt - life;
    if (overtime > timing.overtimeMs || (overtime > 0 && events.isIdle())) events.expired();
    else if (!isPinging) void ping();
  };
  const timer = setInterval(beat, timing.pingMs);

  return {
    heard: () => {
      heardAt = performance.now();
    },
    answer: pongFor,
    stop: () => {
      clearInterval(timer);
    },
  };
}

function pongFor(body: Uint8Array): Uint8Array | null {
  const reader = readerOf(body);
  const [kind, number] = [reader.u8(), reader.u64()];
  reader.end();
  if (kind === PONG) return null;
  if (kind !== PING) throw new ConductorError('MESSAGE_INVALID', 'Cannot read a heartbeat');
  return concat(u8(RECORD.heartbeat), u8(PONG), u64(number));
}
