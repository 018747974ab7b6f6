import test from 'ava';
import { afterRun, comingFrom, firstPlan, look } from '../../../minion/agent/plan.ts';
import { readSchedule } from '../../../shared/schedule/read-schedule.ts';
import type { Schedule } from '../../../shared/schedule/schedule.ts';

const DAY = 86_400_000;
const NOON = Date.parse('2026-03-01T12:00:00Z');

function schedule(value: unknown): Schedule {
  const read = readSchedule(value);
  if (read.schedule === null) throw new Error(JSON.stringify(read.issues));
  return read.schedule;
}

interface Away {
  readonly ids: readonly string[];
  readonly schedule: Schedule;
  /** No minion looks at its plan between these two. */
  readonly from: number;
  readonly to: number;
  readonly until: number;
}

/** The runs of a fleet, by minion: each looks at its plan when it is due, or as soon as it is back. */
function simulate({ ids, schedule, from, to, until }: Away): ReadonlyMap<string, number[]> {
  const runs = new Map<string, number[]>();
  const present = (moment: number): number => (moment >= from && moment < to ? to : moment);
  for (const id of ids) {
    const planner = { schedule, id };
    let plan = firstPlan(planner, NOON);
    const mine: number[] = [];
    for (let now = NOON; now < until; now = present(plan.next ?? until)) {
      const looked = look(planner, plan, now);
      plan = looked.plan;
      if (looked.step === 'run') mine.push(now);
    }
    runs.set(id, mine);
  }
  return runs;
}

const HALF_HOUR = 30 * 60_000;
const FLEET = Array.from({ length: 1000 }, (_, index) => `web-${index}`);

/** How often each of so many equal parts of a time was met. */
function histogram(moments: readonly number[], [start, length]: [number, number], parts: number) {
  const counts = Array.from({ length: parts }, () => 0);
  for (const moment of moments) {
    const part = Math.floor(((moment - start) / length) * parts);
    counts[part] = (counts[part] ?? 0) + 1;
  }
  return counts;
}

function drawn(counts: readonly number[]): string {
  return counts
    .map((count, part) => `${String(part).padStart(3)} ${'#'.repeat(count / 2)} ${count}`)
    .join('\n');
}

/** Pearson's, of a spread that should be even. */
function chiSquared(counts: readonly number[], total: number): number {
  const expected = total / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

test('after 26 hours away a thousand minions make up one refresh each, spread over half an hour', (t) => {
  const from = NOON + 6 * 3_600_000;
  const to = from + 26 * 3_600_000;
  const runs = simulate({ ids: FLEET, schedule: schedule({}), from, to, until: to + DAY });
  const madeUp: number[] = [];
  for (const [id, moments] of runs) {
    const back = moments.filter((moment) => moment >= to);
    const soon = back.filter((moment) => moment - to < HALF_HOUR);
    t.is(soon.length, 1, `${id} makes up what it has missed once, and no more`);
    t.true(back.length <= 2, `${id} goes on daily`);
    madeUp.push(...soon);
  }
  const counts = histogram(madeUp, [to, HALF_HOUR], 30);
  t.log(`made up after 26 h, by minute:\n${drawn(counts)}`);
  t.is(madeUp.length, 1000);
  t.true(Math.max(...counts) <= 60, 'never many in one minute');
});

test('the daily refreshes of a thousand minions are spread evenly over the day', (t) => {
  const runs = simulate({
    ids: FLEET,
    schedule: schedule({}),
    from: 0,
    to: 0,
    until: NOON + 2 * DAY,
  });
  const moments = [...runs.values()].flat();
  t.is(moments.length, 2000, 'each once a day');
  const counts = histogram(
    moments.map((moment) => (moment - NOON) % DAY),
    [0, DAY],
    24,
  );
  t.log(`daily refreshes, by hour:\n${drawn(counts)}`);
  // 23 degrees of freedom, every minion counted twice: an even spread exceeds 2 * 49.7 once in a thousand.
  t.true(chiSquared(counts, moments.length) < 99.4, String(chiSquared(counts, moments.length)));
});

test('a splay spreads them evenly over its window, and nowhere else', (t) => {
  const at = schedule({ at: '03:00', splay: '2h', timezone: 'Asia/Jerusalem' });
  const runs = simulate({ ids: FLEET, schedule: at, from: 0, to: 0, until: NOON + DAY });
  const moments = [...runs.values()].flat();
  const start = Date.parse('2026-03-02T01:00:00Z');
  t.is(moments.length, 1000);
  t.true(moments.every((moment) => moment >= start && moment <= start + 2 * 3_600_000));
  const counts = histogram(moments, [start, 2 * 3_600_000 + 60_000], 12);
  t.log(`03:00 with a splay of 2 h, by 10 minutes:\n${drawn(counts)}`);
  t.true(chiSquared(counts, 1000) < 31.3, String(chiSquared(counts, 1000)));
});

test('a window is met by all, spread, and one that was missed waits for it', (t) => {
  const night = schedule({ every: '24h', timezone: 'UTC', windows: { allow: '22:00-04:00' } });
  const ids = FLEET.slice(0, 200);
  const from = NOON + 3_600_000;
  const to = from + 26 * 3_600_000;
  const runs = simulate({ ids, schedule: night, from, to, until: to + DAY });
  const moments = [...runs.values()].flat();
  t.true([...runs.values()].every(({ length }) => length === 1));
  const opens = Date.parse('2026-03-02T22:00:00Z');
  const counts = histogram(moments, [opens, 6 * 3_600_000 + 60_000], 6);
  t.log(`missed, and made up in the next window, by hour:\n${drawn(counts)}`);
  t.is(counts.length, 6, 'none outside');
  t.true(Math.min(...counts) >= 15, String(counts));
});

test('whatever its clock does, a minion runs at most once at once, and is never late by more than a day', (t) => {
  const planner = { schedule: schedule({}), id: 'web-1' };
  const YEARS = 10 * 365 * DAY;
  let plan = firstPlan(planner, NOON);
  const runsIn = (start: number, minutes: number): number => {
    let runs = 0;
    for (let now = start; now < start + minutes * 60_000; now += 60_000) {
      const looked = look(planner, plan, now);
      plan = looked.plan;
      if (looked.step === 'run') runs += 1;
      t.true((plan.next ?? Infinity) - now <= DAY, 'nothing starves');
    }
    return runs;
  };
  t.is(runsIn(NOON, 10), 0);
  t.is(runsIn(NOON + YEARS, 120), 1, 'ten years on: one');
  t.is(runsIn(NOON - YEARS, 120), 0, 'ten years back: none at once');
  t.is(runsIn(NOON - YEARS + 120 * 60_000, 24 * 60), 1, 'and one in the day that follows');
  t.is(runsIn(NOON + 2 * YEARS, 60), 1, 'on again: one');
  t.is(runsIn(NOON, 24 * 60), 1, 'and daily from then on');
});

test('a missed refresh is made up only if it is to be, and not just before the next one', (t) => {
  const planner = { schedule: schedule({ catch_up: false }), id: 'web-1' };
  const plan = firstPlan(planner, NOON);
  const late = (plan.next ?? 0) + 3_600_000;
  t.deepEqual(look(planner, plan, late), {
    plan: { next: (plan.next ?? 0) + DAY, retries: 0 },
    step: 'left-out',
  });
  const catching = { ...planner, schedule: schedule({}) };
  const shortly = (plan.next ?? 0) + DAY - 1000;
  t.is(look(catching, plan, shortly).step, 'left-out');
  t.is(look(catching, plan, late).step, 'postponed');
});

test('what is told to come next lies ahead, and after what holds it back', (t) => {
  const planner = { schedule: schedule({}), id: 'web-1' };
  const plan = firstPlan(planner, NOON);
  const next = plan.next ?? 0;
  t.is(comingFrom(planner, plan, next - 1), next);
  t.is(comingFrom(planner, plan, next + 60_000), next + 60_000, 'it is due');
  const late = next + 3_600_000;
  t.is(comingFrom(planner, plan, late), look(planner, plan, late).plan.next);
  t.true((comingFrom(planner, plan, late) ?? 0) > late);
  t.is(comingFrom(planner, { next: null, retries: 0 }, late), null);
});

test('a refresh that failed is tried again, so often and no more, within its windows', (t) => {
  const retrying = {
    at: '03:00',
    splay: 0,
    timezone: 'UTC',
    on_failure: { retry_after: '1h', attempts: 2 },
  };
  const planner = { schedule: schedule(retrying), id: 'web-1' };
  const now = Date.parse('2026-03-02T03:05:00Z');
  const regular = { next: Date.parse('2026-03-03T03:00:00Z'), retries: 0 };
  const first = afterRun(planner, regular, { now, hasFailed: true });
  t.deepEqual(first, { next: now + 3_600_000, retries: 1 });
  const later = look(planner, first, now + 3_600_000);
  t.deepEqual(later, { plan: { next: regular.next, retries: 1 }, step: 'run' });
  const second = afterRun(planner, later.plan, { now: now + 3_700_000, hasFailed: true });
  t.is(second.retries, 2);
  const third = look(planner, second, (second.next ?? 0) + 1).plan;
  t.deepEqual(afterRun(planner, third, { now: now + 9_000_000, hasFailed: true }), regular);
  t.deepEqual(afterRun(planner, { ...regular, retries: 1 }, { now, hasFailed: false }), regular);
  const narrow = {
    schedule: schedule({ ...retrying, windows: { allow: '02:00-04:00' } }),
    id: 'a',
  };
  t.deepEqual(
    afterRun(narrow, regular, { now, hasFailed: true }),
    regular,
    'at 04:05 nothing may run',
  );
  const waiting = { schedule: schedule({ at: '03:00' }), id: 'a' };
  t.deepEqual(afterRun(waiting, regular, { now, hasFailed: true }), regular);
});
