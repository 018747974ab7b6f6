import { createHash } from 'node:crypto';
import { nextWall } from './cron.ts';
import type { Cron } from './cron.ts';
import { openingFrom } from './windows.ts';
import type { Opening, Week } from './windows.ts';
import { firstInstantOf, instantsOf } from './zone.ts';
import type { Zone } from './zone.ts';

/** When a minion refreshes by itself. */
export interface Schedule {
  readonly rule: Rule;
  readonly zone: Zone;
  /** `null`: at any time. */
  readonly week: Week | null;
  /** Whether a refresh that was missed is made up, once. */
  readonly catchUp: boolean;
  /** How long a refresh may take. */
  readonly timeoutSeconds: number;
  /** What follows one that failed; `null`: the next one. */
  readonly retry: Retry | null;
}

export type Rule =
  | { readonly kind: 'never' }
  /** Spread over the whole time by the minion's id. */
  | { readonly kind: 'every'; readonly seconds: number }
  /** Each minion comes up to `splaySeconds` later, by its id. */
  | { readonly kind: 'cron'; readonly cron: Cron; readonly splaySeconds: number };

export interface Retry {
  readonly afterSeconds: number;
  readonly attempts: number;
}

/** The first moment after an instant; `null` if there is none. A moment that is not allowed waits for its windows to open. */
export function nextMoment(schedule: Schedule, id: string, now: number): number | null {
  const { rule } = schedule;
  if (rule.kind === 'never') return null;
  const own =
    rule.kind === 'every' ? nextPeriod(rule.seconds, id, now) : nextDue(schedule, id, now);
  const opening = own === null ? null : openingFor(schedule, own);
  return own === null || opening === null ? null : momentIn(opening, own, { schedule, id });
}

/**
 * A moment soon after an instant, another for each id, at which a run that was missed is made up; `null` if the
 * next regular one, which is given, comes as soon: then that will do.
 */
export function soonMoment(
  schedule: Schedule,
  id: string,
  { now, regular }: { readonly now: number; readonly regular: number },
): number | null {
  const spread = Math.min(Math.max(spreadOf(schedule), LEAST_SPREAD), MOST_SPREAD);
  const own = now + splayOf(`${id} soon`, spread) * 1000;
  const opening = openingFor(schedule, own);
  if (opening === null || regular - now <= spread * 1000) return null;
  if (opening.opens > own && regular < opening.closes) return null;
  const soon = momentIn(opening, own, { schedule, id });
  return soon < regular ? soon : null;
}

const LEAST_SPREAD = 5 * 60;
const MOST_SPREAD = 30 * 60;

/** When a run may begin from a moment on. */
function openingFor({ week, zone }: Schedule, moment: number): Opening | null {
  return week === null ? { opens: moment, closes: Infinity } : openingFrom(week, zone, moment);
}

/** The moment itself if it lies in the opening, else one of this id's own. */
function momentIn(
  { opens, closes }: Opening,
  moment: number,
  { schedule, id }: { readonly schedule: Schedule; readonly id: string },
): number {
  if (opens === moment) return moment;
  const seconds = Math.floor((closes - opens) / 1000);
  return opens + splayOf(id, Math.min(seconds, Math.max(spreadOf(schedule), 1))) * 1000;
}

export function isAllowed(schedule: Schedule, moment: number): boolean {
  return openingFor(schedule, moment)?.opens === moment;
}

function spreadOf({ rule }: Schedule): number {
  if (rule.kind === 'never') return 0;
  return rule.kind === 'every' ? rule.seconds : rule.splaySeconds;
}

/** Seconds below a limit: a number that only depends on the id. */
export function splayOf(id: string, limit: number): number {
  return createHash('sha256').update(id).digest().readUIntBE(0, 6) % limit;
}

function nextPeriod(seconds: number, id: string, now: number): number {
  const period = seconds * 1000;
  const phase = splayOf(id, seconds) * 1000;
  return Math.floor((now - phase) / period) * period + phase + period;
}

function nextDue({ rule, zone }: Schedule, id: string, now: number): number | null {
  if (rule.kind !== 'cron') return null;
  const splay = rule.splaySeconds === 0 ? 0 : splayOf(id, rule.splaySeconds) * 1000;
  const due = nextInstant(rule.cron, zone, now - splay);
  return due === null ? null : due + splay;
}

/** Clocks are set back by less. */
const LONGEST_REPEAT_MS = 3 * 3_600_000;

/**
 * The first instant after another at which a cron expression is due. A time of day that summer time leaves
 * out comes when the clocks go on, one that it repeats comes once; what is due every hour takes hours as they pass.
 */
export function nextInstant(cron: Cron, zone: Zone, after: number): number | null {
  let wall = nextWall(cron, zone.wallOf(after) - LONGEST_REPEAT_MS);
  let best: number | null = null;
  while (wall !== null) {
    const instants = cron.isEveryHour ? instantsOf(zone, wall) : [firstInstantOf(zone, wall)];
    const later = instants.filter((instant) => instant > after);
    for (const instant of later) best = best === null ? instant : Math.min(best, instant);
    // What comes after it on the wall comes after its first time.
    if (best !== null && later.length === instants.length) return best;
    wall = nextWall(cron, wall);
  }
  return best;
}
