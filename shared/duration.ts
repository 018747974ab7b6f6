import { ConductorError } from './errors.ts';

const UNITS = new Map([
  ['', 1],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** `90`, `90s`, `30m`, `1h`, `7d` in seconds. Throws USAGE. */
export function parseDuration(text: string): number {
  const [, count, unit = ''] = /^([1-9][0-9]{0,8})([smhd]?)$/u.exec(text) ?? [];
  const seconds = Number(count) * (UNITS.get(unit) ?? 1);
  if (Number.isSafeInteger(seconds)) return seconds;
  throw new ConductorError('USAGE', `Cannot read the time "${text}": write 90s, 30m, 1h or 7d`);
}
