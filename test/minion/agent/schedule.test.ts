import test from 'ava';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { birthOf } from '../../../minion/agent/process-birth.ts';
import { channelUrl, dial } from '../../../minion/agent/dial.ts';
import { createAlarm } from '../../../minion/agent/alarm.ts';
import { stayConnected } from '../../../minion/agent/connection.ts';
import { createEventRelay } from '../../../minion/agent/event-relay.ts';
import { nextAttempt } from '../../../minion/agent/reconnect.ts';
import { nextRefresh, splayOf } from '../../../minion/agent/schedule.ts';
import { startScheduler } from '../../../minion/agent/scheduler.ts';
import type { RunEvent } from '../../../protocol/report.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { silentLog } from './fakes.ts';

const almost1 = () => 0.999_999;

test('reconnecting is spread over a time that doubles with each failure, up to a minute', (t) => {
  const delays: number[] = [];
  let failures = 0;
  for (let turn = 0; turn < 9; turn += 1) {
    const next = nextAttempt({ reason: 'unreachable' }, failures, almost1);
    delays.push(Math.round(next.delayMs / 1000));
    failures = next.failures;
  }
  t.deepEqual(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  t.is(nextAttempt({ reason: 'unreachable' }, 5, () => 0).delayMs, 0, 'full jitter');
});

function after(reason: 'restarting' | 'renewed' | 'displaced' | 'lost', livedMs: number) {
  return nextAttempt({ reason, by: 'them', livedMs }, 6, almost1);
}

test('what ended a session says when to come back', (t) => {
  t.is(Math.round(after('restarting', 5).delayMs), 30_000);
  t.is(Math.round(after('renewed', 5).delayMs), 1000);
  t.true(after('displaced', 5).delayMs > 60_000);
  t.is(Math.round(after('lost', 60_000).delayMs), 1000, 'a session that lived starts anew');
  t.is(Math.round(after('lost', 5).delayMs), 60_000, 'one that did not goes on waiting longer');
  const pending = nextAttempt({ reason: 'pending', retrySeconds: 60 }, 3, () => 0.5);
  t.deepEqual(pending, { delayMs: 66_000, failures: 0 });
});

test('a minion tries its masters in turn, and stops when told to', async (t) => {
  const stop = new AbortController();
  const tried: string[] = [];
  const waits: number[] = [];
  await stayConnected({
    masters: ['a:1', 'b:2'],
    connect: (master) => {
      tried.push(master);
      if (tried.length === 5) stop.abort();
      return Promise.reject(new ConductorError('MASTER_UNREACHABLE', 'Cannot reach it'));
    },
    attend: () => Promise.reject(new Error('never')),
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
    signal: stop.signal,
    random: () => 0.5,
    log: silentLog,
  });
  t.deepEqual(tried, ['a:1', 'b:2', 'a:1', 'b:2', 'a:1']);
  t.deepEqual(waits, [500, 1000, 2000, 4000]);
});

test('a bug in connecting is not taken for a master that is away', async (t) => {
  const stop = new AbortController();
  const connecting = stayConnected({
    masters: ['a:1'],
    connect: () => Promise.reject(new TypeError('a bug')),
    attend: () => Promise.reject(new Error('never')),
    sleep: () => Promise.resolve(),
    signal: stop.signal,
    random: Math.random,
    log: silentLog,
  });
  await t.throwsAsync(connecting, { instanceOf: TypeError });
});

test('an alarm ends a sleep, or one that begins just after, but no other', async (t) => {
  const stop = new AbortController();
  const alarm = createAlarm(stop.signal);
  const asleep = alarm.sleep(60_000);
  alarm.ring();
  await asleep;
  const startedAt = performance.now();
  await alarm.sleep(30);
  t.true(performance.now() - startedAt >= 25, 'it has been heard');
  alarm.ring();
  await alarm.sleep(60_000);
  stop.abort();
  await alarm.sleep(60_000);
  t.true(performance.now() - startedAt < 10_000);
});

test('a master is reached by ws:// unless something else is said, and a refusal names the address', async (t) => {
  t.is(channelUrl('conductor:4510'), 'ws://conductor:4510/minion');
  t.is(channelUrl('wss://[::1]:4510'), 'wss://[::1]:4510/minion');
  await t.throwsAsync(dial('127.0.0.1:1', null), {
    code: 'MASTER_UNREACHABLE',
    message: /ws:\/\/127\.0\.0\.1:1\/minion.*ECONNREFUSED/u,
  });
});

const daily = { every: 86_400, at: null, splay: 3600 } as const;

test("a minion's moment is its own, always the same, and spread over the window", (t) => {
  const now = new Date('2026-03-01T12:00:00Z');
  const ids = Array.from({ length: 500 }, (_, index) => `web-${index}`);
  const moments = ids.map((id) => Number(nextRefresh(daily, id, now)));
  t.deepEqual(
    moments,
    ids.map((id) => Number(nextRefresh(daily, id, now))),
  );
  t.true(moments.every((moment) => moment > now.getTime() && moment <= now.getTime() + 86_400_000));
  const firstHalf = moments.filter((moment) => moment < now.getTime() + 43_200_000).length;
  t.true(firstHalf > 200 && firstHalf < 300, `${firstHalf} of 500`);
  for (const id of ids) {
    const next = nextRefresh(daily, id, now);
    const after = nextRefresh(daily, id, next ?? now);
    t.is(Number(after) - Number(next), 86_400_000);
  }
});

test('a time of day is kept, within the splay, on the right side of now', (t) => {
  const refresh = { every: 86_400, at: '02:30', splay: 600 } as const;
  for (const hour of [0, 2, 3, 23]) {
    const now = new Date(2026, 2, 10, hour, 45);
    const next = nextRefresh(refresh, 'web-1', now) ?? now;
    const start = new Date(next);
    start.setHours(2, 30, 0, 0);
    t.is((next.getTime() - start.getTime()) / 1000, splayOf('web-1', 600));
    t.true(next > now && next.getTime() - now.getTime() <= 86_400_000 + 3_600_000);
  }
  t.is(nextRefresh({ ...daily, every: 'never' }, 'a', new Date()), null);
});

function scheduler(
  stateDirectory: string,
  now: () => Date,
  refresh: Parameters<typeof nextRefresh>[0] = daily,
) {
  const due: Date[] = [];
  const changes: (Date | null)[] = [];
  const started = startScheduler({
    refresh,
    id: 'web-1',
    stateDirectory,
    log: silentLog,
    now,
    random: () => 0,
    due: () => due.push(now()),
    changed: (next) => changes.push(next),
  });
  return { started, due, changes };
}

test('a schedule that cannot be kept does not end the agent', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-schedule-'));
  mkdirSync(join(directory, '.schedule.json.new'));
  const { started } = scheduler(directory, () => new Date());
  t.truthy(started.next);
  t.deepEqual(readdirSync(directory), [], 'it could not be written');
  started.stop();
});

test('the next moment is on disk, and one that was missed is made up once', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-schedule-'));
  const now = new Date('2026-03-01T12:00:00Z');
  const first = scheduler(directory, () => now);
  const planned = first.started.next;
  first.started.stop();
  const stored = () => readFileSync(join(directory, 'schedule.json'), 'utf8');
  t.is(stored(), JSON.stringify({ nextRefresh: planned?.toISOString() }));

  const later = new Date(Number(planned) + 3_600_000);
  const second = scheduler(directory, () => later);
  await sleep(30);
  t.is(second.due.length, 1);
  t.deepEqual(second.started.next, nextRefresh(daily, 'web-1', later));
  t.deepEqual(second.changes, [second.started.next]);
  second.started.stop();

  const third = scheduler(directory, () => later);
  await sleep(30);
  t.is(third.due.length, 0, 'only once');
  third.started.stop();
});

test('a schedule file that is damaged is put aside, and the plan made anew', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-schedule-'));
  writeFileSync(join(directory, 'schedule.json'), '{"nextRefresh":"soon"}');
  const { started } = scheduler(directory, () => new Date());
  t.not(started.next, null);
  started.stop();
  const never = scheduler(directory, () => new Date(), { ...daily, every: 'never' });
  t.is(never.started.next, null);
  never.started.stop();
});

const started = (number: number): RunEvent => ({
  event: 'started',
  number,
  total: 1000,
  id: 'x',
  type: 'a.b',
});

const changed = (number: number): RunEvent => ({
  event: 'outcome',
  number,
  total: 1000,
  outcome: {
    key: 'k',
    id: `${number}`,
    name: 'n',
    type: 'a.b',
    place: 'p:1:1',
    status: 'changed',
    startedAt: '2026-01-01T00:00:00.000Z',
    milliseconds: 1,
  },
});

test('every change is passed on, of mere progress only the newest now and then', async (t) => {
  const sent: RunEvent[] = [];
  const relay = createEventRelay({
    progressMs: 20,
    send: async (event) => {
      await sleep(1);
      sent.push(event);
    },
  });
  for (let number = 1; number <= 300; number += 1) {
    relay.add(started(number));
    if (number % 100 === 0) relay.add(changed(number));
  }
  while (sent.length < 5) await sleep(5);
  relay.add(changed(999));
  relay.add(started(1000));
  await relay.finish();
  relay.add(changed(1));
  const numbers = (kind: RunEvent['event']) =>
    sent.flatMap((event) => (event.event === kind && 'number' in event ? [event.number] : []));
  t.deepEqual(numbers('outcome'), [100, 200, 300, 999]);
  const progress = numbers('started');
  t.true(progress.includes(300) && progress.length <= 4, progress.join());
});

test('events that nobody takes do not pile up, and the end does not wait for them', async (t) => {
  let attempts = 0;
  const relay = createEventRelay({
    capacity: 10,
    send: () => {
      attempts += 1;
      return Promise.reject(new Error('no session'));
    },
  });
  for (let number = 1; number <= 50; number += 1) relay.add(changed(number));
  await relay.finish();
  t.true(attempts <= 12, `${attempts} attempts`);
});

test('a process is known by its birth, and one that has ended is none', (t) => {
  t.regex(birthOf(process.pid) ?? '', /^[0-9a-f-]{36}\/\d+$/u);
  t.is(birthOf(process.pid), birthOf(process.pid));
  t.is(birthOf(2 ** 30), null);
});
