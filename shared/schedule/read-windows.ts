import { didYouMean } from '../suggest.ts';
import { WEEKDAYS } from './cron.ts';
import { readList, readMapping, readText, shown } from './reading.ts';
import type { Reading } from './reading.ts';
import { weekOf } from './windows.ts';
import type { Week, Window } from './windows.ts';

const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];

/** `{allow: […], deny: […]}` as the minutes of a week; `null` if it is wrong, or restricts nothing. */
export function readWindows(reading: Reading | undefined): Week | null {
  if (reading === undefined || reading.value === null) return null;
  const entries = readMapping(reading, ['allow', 'deny']);
  const allow = windowsOf(entries?.get('allow'));
  const deny = windowsOf(entries?.get('deny'));
  if (allow === null || deny === null || allow.length + deny.length === 0) return null;
  const week = weekOf(allow, deny);
  if (week.includes(1)) return week;
  reading.wrong('the windows deny every minute of the week: it would never refresh by itself');
  return null;
}

function windowsOf(reading: Reading | undefined): readonly Window[] | null {
  if (reading === undefined || reading.value === null) return [];
  const windows = readList(reading).map(readWindow);
  const read = windows.filter((window) => window !== null);
  return read.length === windows.length ? read : null;
}

/** `"22:00-06:00"`, or `{days: [fri, sat], time: "22:00-06:00"}`, of which either may be absent. */
function readWindow(reading: Reading): Window | null {
  if (typeof reading.value === 'string') return readTimes(reading, EVERY_DAY);
  const entries = readMapping(reading, ['days', 'time']);
  if (entries === null) return null;
  const [days, time] = [entries.get('days'), entries.get('time')];
  if (days === undefined && time === undefined) {
    reading.wrong('expected days, a time or both', '{days: [fri, sat], time: "22:00-06:00"}');
    return null;
  }
  const which = days === undefined ? EVERY_DAY : readDays(days);
  if (time === undefined) return which === null ? null : { days: which, from: 0, to: DAY_END };
  return readTimes(time, which);
}

const DAY_END = 24 * 60;

/** `days` are `null` if they have been found wrong. */
function readTimes(reading: Reading, days: readonly number[] | null): Window | null {
  const text = readText(reading, 'a time such as "22:00-06:00"');
  const times = text === null ? null : timesOf(text);
  if (typeof times !== 'string') return times === null || days === null ? null : { days, ...times };
  reading.wrong(`${shown(text)} ${times}`, 'write "22:00-06:00", or "00:00-24:00" for all day');
  return null;
}

/** What is wrong, if it is no span of time. */
function timesOf(text: string): { readonly from: number; readonly to: number } | string {
  const [, start = '', end = ''] = /^\s*([\d:]+)\s*-\s*([\d:]+)\s*$/u.exec(text) ?? [];
  const from = minuteOfDay(start);
  const to = end === '24:00' ? DAY_END : minuteOfDay(end);
  if (from === null || to === null) return 'is no span of time';
  return from === to ? 'begins when it ends' : { from, to };
}

/** `03:00` in minutes; `null` if it is no time of day. */
export function minuteOfDay(text: string): number | null {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/u.exec(text) ?? [];
  return hours === undefined ? null : Number(hours) * 60 + Number(minutes);
}

function readDays(reading: Reading): readonly number[] | null {
  const days = readList(reading).map(readDay);
  const read = days.filter((day) => day !== null);
  if (days.length === 0) reading.wrong('expected at least one day');
  return read.length === days.length && days.length > 0 ? read : null;
}

function readDay(reading: Reading): number | null {
  const word = String(reading.value).toLowerCase();
  const day = WEEKDAYS.findIndex((name) => name === word);
  if (day !== -1) return day;
  const words = `${shown(reading.value)} is no day of the week`;
  reading.wrong(`${words}${didYouMean(word, WEEKDAYS)}`, `write one of ${WEEKDAYS.join(', ')}`);
  return null;
}
