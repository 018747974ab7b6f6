import { dailyCron, nextWall, parseCron } from './cron.ts';
import type { Cron } from './cron.ts';
import { minuteOfDay, readWindows } from './read-windows.ts';
import { readDuration, readMapping, readText, shown, startReading } from './reading.ts';
import type { Reading, ScheduleIssue } from './reading.ts';
import type { Retry, Rule, Schedule } from './schedule.ts';
import { starvation } from './starvation.ts';
import { LOCAL_ZONE, namedZone } from './zone.ts';
import type { Zone } from './zone.ts';

const KEYS = [
  'cron',
  'at',
  'every',
  'timezone',
  'splay',
  'windows',
  'catch_up',
  'timeout',
  'on_failure',
] as const;

type Entries = ReadonlyMap<string, Reading>;

export interface ReadSchedule {
  /** `null` if anything is wrong. */
  readonly schedule: Schedule | null;
  readonly issues: readonly ScheduleIssue[];
}

/** What a pillar's `schedule` says, or all that is wrong with it. A part of one is merged with others. */
export function readSchedule(value: unknown, { isPart = false } = {}): ReadSchedule {
  const issues: ScheduleIssue[] = [];
  const reading = startReading(value, issues);
  const entries = readMapping(reading, KEYS);
  if (entries === null) return { schedule: null, issues };
  const rule = isRuleElsewhere(entries, isPart) ? DAILY : readRule(reading, entries);
  const schedule = {
    zone: readZone(entries.get('timezone')),
    week: readWindows(entries.get('windows')),
    catchUp: readCatchUp(entries.get('catch_up')),
    timeoutSeconds: durationOr(entries.get('timeout'), 3600, { least: '1m', most: '7d' }),
    retry: readOnFailure(entries.get('on_failure')),
  };
  if (rule === null || issues.length > 0) return { schedule: null, issues };
  const starving = starvation(rule, schedule.week);
  if (starving !== null) reading.at('windows', null).wrong(starving.message, starving.help);
  return { schedule: starving === null ? { ...schedule, rule } : null, issues };
}

const DAILY: Rule = { kind: 'every', seconds: 86_400 };
const DEFAULT_SPLAY = 3600;
const RULES = ['cron', 'at', 'every'] as const;

function isRuleElsewhere(entries: Entries, isPart: boolean): boolean {
  return isPart && !RULES.some((key) => entries.has(key));
}

function readRule(reading: Reading, entries: Entries): Rule | null {
  const given = RULES.filter((key) => entries.has(key));
  const [kind = 'every', other] = given;
  if (other !== undefined) {
    const help = `keep one; what another file says is taken away with "-${kind}:"`;
    entries
      .get(other)
      ?.wrong(`"${kind}" is given too: only one of cron, at and every may be`, help);
    return null;
  }
  if (kind === 'every') return readEvery(entries);
  const splaySeconds = durationOr(entries.get('splay'), DEFAULT_SPLAY, { least: '0s', most: '1d' });
  const rule = entries.get(kind) ?? reading;
  const cron = kind === 'cron' ? readCron(rule) : readAt(rule);
  return cron === null ? null : { kind: 'cron', cron, splaySeconds };
}

function readEvery(entries: Entries): Rule | null {
  const every = entries.get('every');
  const help = '"every" is spread over its whole time: take "splay" away, or write "at" or "cron"';
  entries.get('splay')?.wrong('"splay" is for "at" and "cron"', help);
  if (every === undefined) return DAILY;
  if (every.value === 'never') return { kind: 'never' };
  const seconds = readDuration(every, { least: '1m', most: '31d' });
  return seconds === null ? null : { kind: 'every', seconds };
}

const HOW_TO_CRON = 'minute, hour, day of the month, month, day of the week: "30 2 * * mon-fri"';

function readCron(reading: Reading): Cron | null {
  const text = readText(reading, 'a cron expression such as "30 2 * * mon-fri"');
  if (text === null) return null;
  const cron = parseCron(text, (message) => reading.wrong(message, HOW_TO_CRON));
  if (cron === null || nextWall(cron, 0) !== null) return cron;
  reading.wrong(`${shown(text)} is never due: there is no such day`, HOW_TO_CRON);
  return null;
}

function readAt(reading: Reading): Cron | null {
  const text = readText(reading, 'a time of day such as "03:00"');
  const minute = text === null ? null : minuteOfDay(text);
  if (text !== null && minute === null)
    reading.wrong(`${shown(text)} is no time of day`, '"03:00"');
  return minute === null ? null : dailyCron(minute);
}

function readZone(reading: Reading | undefined): Zone {
  const isGiven = reading !== undefined && reading.value !== null;
  const name = isGiven ? readText(reading, 'a time zone such as Asia/Jerusalem') : null;
  if (name === null) return LOCAL_ZONE;
  const zone = namedZone(name);
  if (zone !== null) return zone;
  reading?.wrong(`unknown time zone ${shown(name)}`, 'write a name such as Asia/Jerusalem or UTC');
  return LOCAL_ZONE;
}

function readCatchUp(reading: Reading | undefined): boolean {
  if (reading === undefined || reading.value === true) return true;
  if (reading.value !== false) reading.wrong(`expected true or false, got ${shown(reading.value)}`);
  return false;
}

function durationOr(
  reading: Reading | undefined,
  otherwise: number,
  limits: Parameters<typeof readDuration>[1],
): number {
  return reading === undefined ? otherwise : (readDuration(reading, limits) ?? otherwise);
}

const MOST_ATTEMPTS = 10;

/** `wait`, or `{retry_after: 15m, attempts: 3}`. */
function readOnFailure(reading: Reading | undefined): Retry | null {
  if (reading === undefined || reading.value === 'wait') return null;
  if (typeof reading.value === 'string') {
    reading.wrong(`expected "wait" or a mapping, got ${shown(reading.value)}`, HOW_TO_RETRY);
    return null;
  }
  const entries = readMapping(reading, ['retry_after', 'attempts']);
  return entries === null ? null : readRetry(reading, entries);
}

function readRetry(reading: Reading, entries: Entries): Retry | null {
  const after = entries.get('retry_after');
  if (after === undefined) reading.wrong('"retry_after" is missing', HOW_TO_RETRY);
  const limits = { least: '1m', most: '1d' };
  const afterSeconds = after === undefined ? null : readDuration(after, limits);
  const attempts = readAttempts(entries.get('attempts'));
  return afterSeconds === null || attempts === null ? null : { afterSeconds, attempts };
}

const HOW_TO_RETRY = 'on_failure: {retry_after: 15m, attempts: 3}, or on_failure: wait';

function readAttempts(reading: Reading | undefined): number | null {
  const value = reading === undefined ? 3 : reading.value;
  const isCount = typeof value === 'number' && Number.isInteger(value) && value > 0;
  if (isCount && value <= MOST_ATTEMPTS) return value;
  reading?.wrong(`expected a number from 1 to ${MOST_ATTEMPTS}, got ${shown(value)}`);
  return null;
}
