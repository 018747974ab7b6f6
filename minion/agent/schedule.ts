import { createHash } from 'node:crypto';
import type { RefreshConfig } from '../config-schema.ts';

/**
 * When a minion refreshes by itself. Its id gives it a moment of its own in the window, always the
 * same one, so that a fleet spreads out.
 */

/** The first refresh after `now`; `null` if there is to be none. */
export function nextRefresh(refresh: RefreshConfig, id: string, now: Date): Date | null {
  if (refresh.at !== null) return nextDaily(refresh.at, splayOf(id, refresh.splay), now);
  if (refresh.every === 'never') return null;
  const period = refresh.every * 1000;
  const phase = splayOf(id, refresh.every) * 1000;
  const last = Math.floor((now.getTime() - phase) / period) * period + phase;
  return new Date(last + period);
}

/** Seconds into the window: a number that only depends on the id. */
export function splayOf(id: string, windowSeconds: number): number {
  return createHash('sha256').update(id).digest().readUIntBE(0, 6) % windowSeconds;
}

/** By the local calendar, so that the change to summer time moves nothing. */
function nextDaily(at: string, splaySeconds: number, now: Date): Date {
  const [hours = 0, minutes = 0] = at.split(':').map(Number);
  const moment = (dayOffset: number): Date => {
    const day = new Date(now);
    day.setDate(day.getDate() + dayOffset);
    day.setHours(hours, minutes, splaySeconds, 0);
    return day;
  };
  const candidates = [-1, 0, 1, 2].map(moment);
  return candidates.find((candidate) => candidate > now) ?? moment(2);
}
