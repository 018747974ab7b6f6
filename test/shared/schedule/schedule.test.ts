import test from 'ava';
import { readSchedule } from '../../../shared/schedule/read-schedule.ts';
import { isAllowed, nextMoment, soonMoment, splayOf } from '../../../shared/schedule/schedule.ts';
import type { Schedule } from '../../../shared/schedule/schedule.ts';
import { Secret } from '../../../shared/secret.ts';

function read(value: unknown): Schedule {
  const { schedule, issues } = readSchedule(value);
  if (schedule === null) throw new Error(JSON.stringify(issues));
  return schedule;
}

function next(value: unknown, id: string, now: string): string {
  const moment = nextMoment(read(value), id, Date.parse(now));
  return moment === null ? 'never' : new Date(moment).toISOString().slice(0, 19);
}

test('without a word it is daily, at a moment of its own', (t) => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const daily = read({});
  const first = nextMoment(daily, 'web-1', now) ?? 0;
  t.true(first > now && first <= now + 86_400_000);
  t.is(nextMoment(daily, 'web-1', first), first + 86_400_000);
  t.not(nextMoment(daily, 'web-2', now), first);
  t.like(daily, { catchUp: true, timeoutSeconds: 3600, retry: null, week: null });
});

test('a splay is stable, within its limit, and right on both sides of midnight', (t) => {
  const late = { at: '23:50', timezone: 'UTC', splay: '1h' };
  for (const id of ['a', 'b', 'c', 'd']) {
    const splay = splayOf(id, 3600) * 1000;
    const before = Date.parse('2026-03-01T23:50:00Z') + splay;
    t.is(nextMoment(read(late), id, before - 1), before);
    t.is(nextMoment(read(late), id, before), before + 86_400_000);
  }
  t.is(next({ ...late, splay: 0 }, 'a', '2026-03-01T12:00:00Z'), '2026-03-01T23:50:00');
});

test('cron goes by its zone', (t) => {
  const cron = { cron: '30 2 * * mon-fri', timezone: 'Asia/Jerusalem', splay: 0 };
  t.is(next(cron, 'a', '2026-11-27T12:00:00Z'), '2026-11-30T00:30:00');
  t.is(next(cron, 'a', '2026-07-03T12:00:00Z'), '2026-07-05T23:30:00', 'summer time');
  t.is(next({ every: 'never' }, 'a', '2026-11-27T12:00:00Z'), 'never');
});

test('a moment outside the windows waits for them to open, at a moment of its own', (t) => {
  const windows = { allow: ['22:00-06:00'], deny: [{ days: ['fri', 'sat'] }] };
  const schedule = read({ every: '24h', timezone: 'UTC', windows });
  const ids = Array.from({ length: 400 }, (_, index) => `web-${index}`);
  // 2026-11-27 is a Friday: what was due then comes on Sunday.
  const moments = ids.map(
    (id) => nextMoment(schedule, id, Date.parse('2026-11-27T06:00:00Z')) ?? 0,
  );
  for (const moment of moments) {
    t.true(isAllowed(schedule, moment), new Date(moment).toISOString());
    t.true(
      moment >= Date.parse('2026-11-29T00:00:00Z') && moment <= Date.parse('2026-11-29T06:00:00Z'),
    );
  }
  t.true(new Set(moments).size > 380, 'not all at once');
});

test('a window belongs to the day on which it begins', (t) => {
  const windows = { allow: [{ days: 'fri', time: '22:00-06:00' }] };
  const schedule = read({ at: '23:00', splay: 0, timezone: 'UTC', windows });
  t.true(isAllowed(schedule, Date.parse('2026-11-28T05:59:00Z')), 'Saturday morning');
  t.false(isAllowed(schedule, Date.parse('2026-11-28T06:00:00Z')));
  t.false(isAllowed(schedule, Date.parse('2026-11-27T05:00:00Z')), 'Friday morning');
});

test('a window that summer time leaves out opens a week later, one that is repeated opens once', (t) => {
  const windows = { allow: [{ days: ['sun'], time: '01:00-02:00' }] };
  const london = { every: '24h', timezone: 'Europe/London', windows };
  const open = nextMoment(read(london), 'a', Date.parse('2026-03-23T00:00:00Z')) ?? 0;
  t.is(new Date(open).toISOString().slice(0, 13), '2026-04-05T00', 'not on the 29th');
});

test('a missed refresh comes soon, spread, and not outside the windows', (t) => {
  const now = Date.parse('2026-11-25T12:00:00Z');
  const ids = Array.from({ length: 300 }, (_, index) => `web-${index}`);
  const moments = ids.map((id) => soonMoment(read({}), id, { now, regular: Infinity }) ?? 0);
  t.true(moments.every((moment) => moment >= now && moment < now + 30 * 60_000));
  t.true(new Set(moments).size > 200);
  const night = read({ every: '24h', timezone: 'UTC', windows: { allow: '22:00-23:00' } });
  const waits = soonMoment(night, 'a', { now, regular: Infinity }) ?? 0;
  t.is(new Date(waits).toISOString().slice(0, 13), '2026-11-25T22');
});

type Wrong = readonly [value: unknown, path: readonly (string | number)[], says: RegExp];

const WRONG: readonly Wrong[] = [
  ['daily', [], /expected a mapping, got "daily"/u],
  [new Secret('s3cret'), [], /got a secret/u],
  [{ evry: '6h' }, ['evry'], /unknown key "evry", did you mean "every"\?/u],
  [{ at: '03:00', cron: '0 3 * * *' }, ['at'], /"cron" is given too/u],
  [{ every: '6h', splay: '1h' }, ['splay'], /"splay" is for "at" and "cron"/u],
  [{ every: '10s' }, ['every'], /from 1m to 31d, got "10s"/u],
  [{ every: 'daily' }, ['every'], /expected a time such as/u],
  [{ at: '25:00' }, ['at'], /"25:00" is no time of day/u],
  [{ at: 180 }, ['at'], /expected a time of day such as "03:00", got 180/u],
  [{ at: '03:00', splay: '2d' }, ['splay'], /from 0s to 1d/u],
  [{ cron: '0 0 30 2 *' }, ['cron'], /is never due: there is no such day/u],
  [{ cron: '0 25 * * *' }, ['cron'], /hour "25"/u],
  [{ cron: '0 3 * * *', timezone: 'Asia/Jeruslem' }, ['timezone'], /unknown time zone/u],
  [{ catch_up: 'yes' }, ['catch_up'], /expected true or false/u],
  [{ timeout: '30s' }, ['timeout'], /from 1m to 7d/u],
  [{ on_failure: 'retry' }, ['on_failure'], /expected "wait" or a mapping/u],
  [{ on_failure: { attempts: 2 } }, ['on_failure'], /"retry_after" is missing/u],
  [
    { on_failure: { retry_after: '5m', attempts: 99 } },
    ['on_failure', 'attempts'],
    /from 1 to 10/u,
  ],
  [{ windows: { alow: [] } }, ['windows', 'alow'], /unknown key "alow", did you mean "allow"\?/u],
  [{ windows: { allow: ['22:00'] } }, ['windows', 'allow', 0], /is no span of time/u],
  [{ windows: { allow: ['22:00-22:00'] } }, ['windows', 'allow', 0], /begins when it ends/u],
  [
    { windows: { deny: [{ days: ['fry'] }] } },
    ['windows', 'deny', 0, 'days', 0],
    /is no day of the week/u,
  ],
  [{ windows: { deny: [{}] } }, ['windows', 'deny', 0], /expected days, a time or both/u],
  [{ windows: { deny: '00:00-24:00' } }, ['windows'], /deny every minute of the week/u],
  [
    { at: '12:00', windows: { allow: '22:00-06:00' } },
    ['windows'],
    /none of the times .* is allowed/u,
  ],
  [
    { at: '05:30', splay: '1h', windows: { allow: '22:00-06:00' } },
    ['windows'],
    /the splay takes minions out of the windows: due mon 05:30, one of them comes mon 06:00/u,
  ],
  [{ cron: '0 3 * * sat', windows: { deny: { days: 'sat' } } }, ['windows'], /none of the times/u],
  [
    { cron: '0 3 1 * *', windows: { allow: { time: '04:00-05:00' } }, splay: 0 },
    ['windows'],
    /none of the times/u,
  ],
];

for (const [value, path, says] of WRONG) {
  test(`${JSON.stringify(value)} is refused`, (t) => {
    const { schedule, issues } = readSchedule(value);
    t.is(schedule, null);
    t.deepEqual(issues[0]?.path, path);
    t.regex(issues[0]?.message ?? '', says);
    t.false(JSON.stringify(issues).includes('s3cret'));
  });
}

test('what goes together is taken', (t) => {
  for (const value of [
    {
      cron: '30 2 * * mon-fri',
      timezone: 'Asia/Jerusalem',
      windows: { allow: ['22:00-06:00'], deny: [{ days: ['fri', 'sat'] }] },
    },
    { cron: '*/10 * * * *', windows: { allow: '22:00-06:00' } },
    { cron: '0 3 29 2 *', windows: { allow: '02:00-06:00' } },
    { every: '6h', on_failure: { retry_after: '15m' }, timeout: 7200, catch_up: false },
    { at: '05:00', splay: '59m', windows: { allow: '22:00-06:00' } },
    { every: 'never' },
    { windows: {}, timezone: null, on_failure: 'wait' },
  ])
    t.deepEqual(readSchedule(value).issues, []);
});
