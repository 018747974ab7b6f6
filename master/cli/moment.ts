import { secondsIn } from '../../shared/duration.ts';
import { ConductorError } from '../../shared/errors.ts';

const CLOCK = /^([01]?[0-9]|2[0-3]):([0-5][0-9])$/u;
const DATE = /^\d{4}-\d{2}-\d{2}$/u;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$/u;

/**
 * `+2h` from now, `22:30` when it is that the next time, or an ISO time; what names no zone is in
 * the zone of this machine. Gives it in UTC. Throws USAGE.
 */
export function parseMoment(option: string, text: string, now: Date): string {
  const moment = futureOf(text, now);
  if (moment !== null) return moment.toISOString();
  const message = `Cannot read ${option} "${text}": write 22:30, +2h, or 2026-12-31T22:30`;
  throw new ConductorError('USAGE', message);
}

/** `2h`: so long ago; or an ISO time, as above. */
export function parsePast(option: string, text: string, now: Date): string {
  const seconds = secondsIn(text);
  const moment = seconds === null ? dateOf(text) : later(now, -seconds);
  if (moment !== null) return moment.toISOString();
  const message = `Cannot read ${option} "${text}": write 2h, 7d, or 2026-12-31T22:30`;
  throw new ConductorError('USAGE', message);
}

function futureOf(text: string, now: Date): Date | null {
  const clock = CLOCK.exec(text);
  if (clock !== null) return nextAt(Number(clock[1]), Number(clock[2]), now);
  if (!text.startsWith('+')) return dateOf(text);
  const seconds = secondsIn(text.slice(1));
  return seconds === null ? null : later(now, seconds);
}

function later(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000);
}

function nextAt(hours: number, minutes: number, now: Date): Date {
  const moment = new Date(now);
  moment.setHours(hours, minutes, 0, 0);
  if (moment <= now) moment.setDate(moment.getDate() + 1);
  return moment;
}

function dateOf(text: string): Date | null {
  // A date alone would be read as in UTC.
  const full = DATE.test(text) ? `${text}T00:00` : text;
  const moment = DATE_TIME.test(full) ? new Date(full.replace(' ', 'T')) : null;
  if (moment === null || Number.isNaN(moment.getTime()) || !isInCalendar(full)) return null;
  return moment;
}

/** JavaScript takes 31 February for 3 March. */
function isInCalendar(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
}
