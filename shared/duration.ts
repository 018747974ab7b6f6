import { ConductorError } from './errors.ts';

const UNITS = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

export const DAY_SECONDS = 86_400;

/** A hundred years: the calendar of the language ends not long after. */
const LONGEST_DAYS = 36_500;

/** The most that a run, or a state of it, may be given. A timer of Node can wait for little more than three times as long. */
export const LONGEST_RUN_SECONDS = 7 * DAY_SECONDS;

/** How long a run may take, as `--timeout` gives it, in seconds. Throws USAGE. */
export function parseTimeout(text: string): number {
  return parseDuration('--timeout', text, LONGEST_RUN_SECONDS / DAY_SECONDS);
}

/** What an option of a command line gives, in seconds. Throws USAGE. */
export function parseDuration(option: string, text: string, mostDays = LONGEST_DAYS): number {
  const seconds = secondsIn(text);
  if (seconds !== null && seconds <= mostDays * DAY_SECONDS) return seconds;
  const examples = mostDays < 7 ? '90s, 30m or 1h' : '90s, 30m, 1h or 7d';
  const expected = `write ${examples}, and ${mostDays}d at most`;
  throw new ConductorError('USAGE', `Cannot read ${option} "${text}": ${expected}`);
}

/** `90s`, `30m`, `1h`, `7d` in seconds; `null` if it is no such time, or too long. */
export function secondsIn(text: string): number | null {
  const [, count, unit = ''] = /^([1-9][0-9]{0,8})([smhd])$/u.exec(text) ?? [];
  const seconds = Number(count) * (UNITS.get(unit) ?? 1);
  return seconds <= LONGEST_DAYS * DAY_SECONDS ? seconds : null;
}
