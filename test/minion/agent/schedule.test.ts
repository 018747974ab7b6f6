import test from 'ava';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ageOf, birthOf } from '../../../minion/host/process-birth.ts';
import { channelUrl, dial } from '../../../minion/agent/dial.ts';
import { createAlarm } from '../../../minion/agent/alarm.ts';
import { stayConnected } from '../../../minion/agent/connection.ts';
import { createEventRelay } from '../../../minion/agent/event-relay.ts';
import { nextAttempt } from '../../../minion/agent/reconnect.ts';
import type { Json } from '../../../minion/agent/schedule-source.ts';
import { startScheduler } from '../../../minion/agent/scheduler.ts';
import type { RefreshConfig } from '../../../minion/config-schema.ts';
import type { RunEvent } from '../../../protocol/report.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { createLogger } from '../../../shared/log.ts';
import { uuidv7 } from '../../../shared/uuid.ts';
import { silentLog } from './fakes.ts';

const almost1 = () => 0.999_999;

test('reconnecting is spread over a time that doubles with each failure, up to half a minute', (t) => {
  const delays: number[] = [];
  let failures = 0;
  for (let turn = 0; turn < 9; turn += 1) {
    const next = nextAttempt({ reason: 'unreachable' }, failures, almost1);
    delays.push(Math.round(next.delayMs / 1000));
    failures = next.failures;
  }
  t.deepEqual(delays, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
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
  t.is(Math.round(after('lost', 5).delayMs), 30_000, 'one that did not goes on waiting longer');
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

const DAY = 86_400_000;
const NOON = Date.parse('2026-03-01T12:00:00Z');

const daily = { every: 86_400, at: null, splay: 3600 } as const;

interface Fake {
  readonly refresh?: RefreshConfig;
  readonly pillar?: Json | null;
  readonly heldUntil?: () => Date | null;
}

function scheduler(stateDirectory: string, now: () => Date, fake: Fake = {}) {
  const due: number[] = [];
  const log: string[] = [];
  let changes = 0;
  const started = startScheduler({
    refresh: fake.refresh ?? daily,
    pillarSchedule: () => fake.pillar ?? null,
    id: 'web-1',
    stateDirectory,
    log: createLogger({ name: 'test', level: 'info', write: (line) => log.push(line) }),
    now,
    due: (timeoutSeconds) => {
      due.push(timeoutSeconds);
      return JOB;
    },
    changed: () => {
      changes += 1;
    },
    heldUntil: fake.heldUntil ?? (() => null),
  });
  return { started, due, log, changes: () => changes };
}

const JOB = '0198c2f1-0000-7000-8000-000000000001';

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !isTrue(); turn += 1) await sleep(10);
}

function now(): Date {
  return new Date(NOON);
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'conductor-schedule-'));
}

function kept(directory: string): unknown {
  return JSON.parse(readFileSync(join(directory, 'schedule.json'), 'utf8'));
}

test('a schedule that cannot be kept does not end the agent', (t) => {
  const directory = newDirectory();
  mkdirSync(join(directory, '.schedule.json.new'));
  const { started, log } = scheduler(directory, () => new Date());
  t.truthy(started.next);
  t.deepEqual(readdirSync(directory), [], 'it could not be written');
  t.regex(log.join(''), /Schedule could not be kept/u);
  started.stop();
});

test('the next moment is on disk; one that was missed is made up once, restarts or not', async (t) => {
  const directory = newDirectory();
  const first = scheduler(directory, () => new Date(NOON));
  const planned = first.started.next?.getTime() ?? 0;
  first.started.stop();
  t.like(kept(directory), { nextRefresh: new Date(planned).toISOString(), schedule: null });

  let now = planned + 3_600_000;
  const second = scheduler(directory, () => new Date(now));
  await until(() => second.changes() > 0);
  t.is(second.due.length, 0, 'not at once');
  const soon = second.started.next?.getTime() ?? 0;
  t.true(soon >= now && soon <= now + 1_800_000);
  t.regex(second.log.join(''), /Refresh was missed, and is made up soon/u);
  t.is(second.changes(), 1);
  second.started.stop();

  now = soon;
  const third = scheduler(directory, () => new Date(now));
  await until(() => third.due.length > 0);
  t.deepEqual(third.due, [3600]);
  t.is(third.started.next?.getTime(), planned + DAY);
  third.started.stop();
  const fourth = scheduler(directory, () => new Date(now));
  await sleep(30);
  t.is(fourth.due.length, 0, 'only once');
  fourth.started.stop();
});

test('a pillar says when, and is remembered; without its word minion.yaml does', async (t) => {
  const directory = newDirectory();
  const at = { at: '03:00', splay: 0, timezone: 'UTC', timeout: '2h' };
  const { started, log, changes } = scheduler(directory, now);
  t.is(started.source, 'default');
  started.learn(at);
  t.is(started.source, 'pillar');
  t.is(started.next?.toISOString(), '2026-03-02T03:00:00.000Z');
  t.regex(log.join(''), /Schedule has changed/u);
  t.is(changes(), 1);
  started.learn({ ...at });
  t.is(changes(), 1, 'the same again is nothing new');
  started.stop();

  const later = scheduler(directory, () => new Date('2026-03-02T03:00:00Z'));
  t.is(later.started.source, 'pillar');
  await until(() => later.due.length > 0);
  t.deepEqual(later.due, [7200]);
  later.started.learn(null);
  t.is(later.started.source, 'default');
  later.started.stop();

  const configured = { refresh: { every: 7200, at: null, splay: 60 } } as const;
  const own = scheduler(newDirectory(), now, configured);
  t.is(own.started.source, 'minion.yaml');
  own.started.learn({ every: 'sometimes' });
  t.is(own.started.source, 'minion.yaml', 'what cannot be read changes nothing');
  t.regex(own.log.join(''), /could not be read/u);
  own.started.stop();
});

test('an agent of before pillars had schedules takes the one of the pillar that is here', (t) => {
  const directory = newDirectory();
  writeFileSync(join(directory, 'schedule.json'), '{"nextRefresh":"2026-03-02T05:00:00.000Z"}');
  const pillar = { at: '03:00', splay: 0, timezone: 'UTC' };
  const { started } = scheduler(directory, () => new Date(NOON), { pillar });
  t.is(started.source, 'pillar');
  t.is(started.next?.toISOString(), '2026-03-02T03:00:00.000Z');
  started.stop();
});

test('minion.yaml that says something new is heard after a restart', (t) => {
  const directory = newDirectory();
  const early = { every: 86_400, at: '02:30', splay: 1 } as const;
  scheduler(directory, now, { refresh: early }).started.stop();
  const late = { ...early, at: '05:30' };
  const { started } = scheduler(directory, now, { refresh: late });
  t.deepEqual([started.next?.getHours(), started.next?.getMinutes()], [5, 30]);
  started.stop();
  const never = scheduler(directory, now, { refresh: { ...daily, every: 'never' } });
  t.is(never.started.next, null);
  never.started.stop();
});

test('a refresh of the schedule that failed is tried again, one that somebody asked for is not', async (t) => {
  const directory = newDirectory();
  let now = NOON;
  const pillar = { at: '13:00', splay: 0, timezone: 'UTC', on_failure: { retry_after: '10m' } };
  const first = scheduler(directory, () => new Date(now), { pillar });
  first.started.stop();
  now = Date.parse('2026-03-01T13:00:00Z');
  const second = scheduler(directory, () => new Date(now), { pillar });
  await until(() => second.due.length > 0);
  t.is(second.due.length, 1);
  second.started.ended(uuidv7(), 'failed');
  t.is(second.started.next?.toISOString(), '2026-03-02T13:00:00.000Z');
  second.started.stop();
  t.like(kept(directory), { job: JOB, retries: 0 });

  const third = scheduler(directory, () => new Date(now), { pillar });
  third.started.ended(JOB, 'failed');
  t.is(third.started.next?.getTime(), now + 600_000, 'also after a restart');
  third.started.ended(JOB, 'failed');
  t.like(kept(directory), { job: null, retries: 1 }, 'its end counts once');
  third.started.stop();
});

test('a pause holds back what is due, says so once, and it comes when the pause is over', async (t) => {
  const directory = newDirectory();
  const planned = scheduler(directory, () => new Date(NOON));
  planned.started.stop();
  const due = planned.started.next?.getTime() ?? 0;
  const end = due + 3_600_000;
  let holds: Date | null = new Date(end);
  const held = { heldUntil: () => holds };
  const paused = scheduler(directory, () => new Date(due + 600_000), held);
  const coming = paused.started.next?.getTime() ?? 0;
  t.true(coming > end && coming < end + 1_800_000, 'not before the pause is over');
  const told = () => paused.log.filter((line) => line.includes('was held back by a pause'));
  await until(() => told().length > 0);
  await sleep(30);
  t.is(told().length, 1);
  t.deepEqual(paused.due, []);
  holds = null;
  paused.started.wake();
  await until(() => paused.changes() > 0);
  t.deepEqual(paused.due, [], 'it is made up soon');
  const soon = paused.started.next?.getTime() ?? 0;
  t.true(soon > due + 600_000 && soon < due + 600_000 + 1_800_000);
  paused.started.stop();
});

test('a schedule file that is damaged is put aside, and the plan made anew', (t) => {
  const directory = newDirectory();
  writeFileSync(join(directory, 'schedule.json'), '{"nextRefresh":"soon"}');
  const { started } = scheduler(directory, () => new Date());
  t.not(started.next, null);
  started.stop();
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

test('every change is passed on, of mere progress only the newest now and then, all in order', async (t) => {
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
  relay.add(started(301));
  while (sent.length < 5) await sleep(5);
  relay.add(changed(999));
  relay.add(started(1000));
  await relay.finish();
  relay.add(changed(1));
  const numbers = (kind: RunEvent['event']) =>
    sent.flatMap((event) => (event.event === kind && 'number' in event ? [event.number] : []));
  t.deepEqual(numbers('outcome'), [100, 200, 300, 999]);
  const progress = numbers('started');
  t.true(progress.includes(301) && progress.length <= 4, progress.join());
  const order = sent.map((event) => ('number' in event ? event.number : 0));
  t.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    'nothing is told after what came later',
  );
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
  t.is(ageOf(2 ** 30), null);
  const [own, parent] = [process.pid, process.ppid].map((pid) => ageOf(pid) ?? 0);
  t.true(own !== undefined && Math.abs(own - process.uptime() * 1000) < 1000);
  t.true(parent !== undefined && own !== undefined && parent >= own);
});
