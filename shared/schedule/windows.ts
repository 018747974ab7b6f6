import { DAY_MS, firstInstantOf, instantsOf, MINUTE_MS } from './zone.ts';
import type { Zone } from './zone.ts';

/** When something may happen, by the days of the week on which it begins. */
export interface Window {
  /** Sunday is 0. */
  readonly days: readonly number[];
  /** Minutes of the day; one that ends before it begins ends on the next day. */
  readonly from: number;
  readonly to: number;
}

/** A week, minute by minute from Sunday on: 1 where a run may begin. */
export type Week = Uint8Array;

const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;
/** The first of January 1970 was a Thursday. */
const EPOCH_MINUTES = 4 * DAY_MINUTES;

/** What is allowed, all if nothing is said, without what is denied. */
export function weekOf(allow: readonly Window[], deny: readonly Window[]): Week {
  const week = new Uint8Array(WEEK_MINUTES).fill(allow.length === 0 ? 1 : 0);
  for (const window of allow) paint(week, window, 1);
  for (const window of deny) paint(week, window, 0);
  return week;
}

function paint(week: Week, { days, from, to }: Window, value: 0 | 1): void {
  const length = to > from ? to - from : to + DAY_MINUTES - from;
  for (const day of days) {
    for (let minute = 0; minute < length; minute += 1)
      week[(day * DAY_MINUTES + from + minute) % WEEK_MINUTES] = value;
  }
}

export function isOpen(week: Week, wall: number): boolean {
  const minutes = Math.floor(wall / MINUTE_MS) + EPOCH_MINUTES;
  return week[((minutes % WEEK_MINUTES) + WEEK_MINUTES) % WEEK_MINUTES] === 1;
}

/** Instants between which runs may begin. */
export interface Opening {
  readonly opens: number;
  readonly closes: number;
}

/** The opening in which an instant lies, from that on, or else the next one; `null` if there is none. */
export function openingFrom(week: Week, zone: Zone, instant: number): Opening | null {
  if (isOpen(week, zone.wallOf(instant))) return openingAt(week, zone, instant);
  // A week may lose an opening to summer time, two cannot.
  for (const wall of minutesAfter(zone.wallOf(instant), 2 * WEEK_MINUTES)) {
    if (!isOpen(week, wall)) continue;
    const opens = instantsOf(zone, wall).find((candidate) => candidate > instant);
    if (opens !== undefined) return openingAt(week, zone, opens);
  }
  return null;
}

function openingAt(week: Week, zone: Zone, opens: number): Opening {
  for (const wall of minutesAfter(zone.wallOf(opens), WEEK_MINUTES)) {
    if (isOpen(week, wall)) continue;
    const closes = instantsOf(zone, wall).find((candidate) => candidate > opens);
    return { opens, closes: closes ?? firstInstantOf(zone, wall) };
  }
  return { opens, closes: opens + 7 * DAY_MS };
}

function* minutesAfter(wall: number, count: number): Generator<number> {
  const minute = Math.floor(wall / MINUTE_MS) * MINUTE_MS;
  for (let index = 1; index <= count; index += 1) yield minute + index * MINUTE_MS;
}
