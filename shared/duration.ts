import { ConductorError } from './errors.ts';

const UNITS = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** A hundred years: the calendar of the language ends not long after. */
const LONGEST_SECONDS = 36_500 * 86_400;

/** What an option of a command line gives, in seconds. Throws USAGE. */
export function parseDuration(option: string, text: string): number {
  const seconds = secondsIn(text);
  if (seconds !== null) return seconds;
  const expected = 'write 90s, 30m, 1h or 7d, and 36500d at most';
  throw new ConductorError('USAGE', `Cannot read ${option} "${text}": ${expected}`);
}

/** `90s`, `30m`, `1h`, `7d` in seconds; `null` if it is no such time, or too long. */
export function secondsIn(text: string): number | null {
  const [, count, unit = ''] = /^([1-9][0-9]{0,8})([smhd])$/u.exec(text) ?? [];
  const seconds = Number(count) * (UNITS.get(unit) ?? 1);
  return seconds <= LONGEST_SECONDS ? seconds : null;
}
