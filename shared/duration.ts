import { ConductorError } from './errors.ts';

const UNITS = new Map([
  ['', 1],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** A hundred years: the calendar of the language ends not long after. */
const LONGEST_SECONDS = 36_500 * 86_400;

/** `90`, `90s`, `30m`, `1h`, `7d` in seconds. Throws USAGE. */
export function parseDuration(text: string): number {
  const [, count, unit = ''] = /^([1-9][0-9]{0,8})([smhd]?)$/u.exec(text) ?? [];
  const seconds = Number(count) * (UNITS.get(unit) ?? 1);
  if (seconds <= LONGEST_SECONDS) return seconds;
  const expected = 'write 90s, 30m, 1h or 7d, and 36500d at most';
  throw new ConductorError('USAGE', `Cannot read the time "${text}": ${expected}`);
}
