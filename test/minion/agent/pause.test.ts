import test from 'ava';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRequest, writeRequest } from '../../../minion/agent/local-request.ts';
import { openPauses } from '../../../minion/agent/pause.ts';
import { startIntending } from '../../../minion/agent/intend.ts';
import { createCore } from '../../../minion/agent/core.ts';
import { atRestKey, createAtRest } from '../../../minion/host/at-rest.ts';
import { nodeCrypto } from '../../../protocol/node-crypto.ts';
import { minionConfigSchema } from '../../../minion/config-schema.ts';
import { createLogger } from '../../../shared/log.ts';
import { fakeChildren, newStateDirectory, silentLog } from './fakes.ts';

const HOUR = 3_600_000;
const NOON = Date.parse('2026-03-01T12:00:00Z');
const REQUEST = { seconds: 7200, why: 'moving the database' };

/** Two clocks that a test sets. */
function clocks() {
  const clock = { wall: NOON, elapsed: 5000 };
  const pass = (milliseconds: number): void => {
    clock.wall += milliseconds;
    clock.elapsed += milliseconds;
  };
  return { clock, pass };
}

function opened(stateDirectory: string, clock: { wall: number; elapsed: number }) {
  const log: string[] = [];
  const changes: string[] = [];
  const pauses = openPauses({
    stateDirectory,
    now: () => new Date(clock.wall),
    elapsed: () => clock.elapsed,
    log: createLogger({ name: 'test', level: 'info', write: (line) => log.push(line) }),
    changed: () => changes.push('changed'),
  });
  return { pauses, log, changes };
}

test('a pause lifts itself when its time is over, and says so', (t) => {
  const directory = newStateDirectory();
  const { clock, pass } = clocks();
  const { pauses, log, changes } = opened(directory, clock);
  t.is(pauses.current(), null);
  t.is(pauses.lift(), null, 'there is nothing to lift');
  t.deepEqual(changes.splice(0), ['changed'], 'and whoever asked is told so');
  const pause = pauses.begin(REQUEST, 'minion');
  t.deepEqual(pause, {
    since: '2026-03-01T12:00:00.000Z',
    until: '2026-03-01T14:00:00.000Z',
    why: REQUEST.why,
    by: 'minion',
  });
  pass(2 * HOUR - 1);
  t.deepEqual(pauses.current(), pause);
  pass(1);
  t.is(pauses.current(), null);
  t.false(existsSync(join(directory, 'pause.json')));
  t.deepEqual(changes, ['changed', 'changed']);
  t.regex(log.join(''), /Scheduled runs were paused[^]*moving the database[^]*Pause has ended/u);
});

test('a pause survives a restart, and is over when it would have been', (t) => {
  const directory = newStateDirectory();
  const { clock, pass } = clocks();
  opened(directory, clock).pauses.begin(REQUEST, 'master');
  pass(HOUR);
  clock.elapsed = 0;
  t.is(opened(directory, clock).pauses.current()?.until, '2026-03-01T14:00:00.000Z');
  pass(HOUR);
  t.is(opened(directory, clock).pauses.current(), null);
});

test('a clock that is set back makes no pause longer, nor does a restart after that', (t) => {
  const directory = newStateDirectory();
  const { clock, pass } = clocks();
  const running = opened(directory, clock).pauses;
  running.begin(REQUEST, 'minion');
  clock.wall -= 10 * 365 * 24 * HOUR;
  pass(HOUR);
  t.truthy(running.current());
  const restarted = opened(directory, clock).pauses;
  t.is(Date.parse(restarted.current()?.until ?? '') - clock.wall, 2 * HOUR, 'its length from now');
  pass(HOUR);
  t.is(running.current(), null, 'the clock that nobody sets knows');
});

test('a clock that is set ten years on ends a pause rather than keep it', (t) => {
  const { clock } = clocks();
  const { pauses } = opened(newStateDirectory(), clock);
  pauses.begin(REQUEST, 'minion');
  clock.wall += 10 * 365 * 24 * HOUR;
  t.is(pauses.current(), null);
});

test('a pause is lifted by hand, and another one takes its place', (t) => {
  const { clock, pass } = clocks();
  const directory = newStateDirectory();
  const { pauses } = opened(directory, clock);
  pauses.begin(REQUEST, 'minion');
  pass(HOUR);
  pauses.begin({ seconds: 60, why: 'something else' }, 'master');
  t.is(pauses.lift()?.why, 'something else');
  t.is(opened(directory, clock).pauses.current(), null);
});

test('a pause file that is damaged, or has no end, pauses nothing', (t) => {
  const directory = newStateDirectory();
  writeFileSync(join(directory, 'pause.json'), '{"since":"2026-03-01T12:00:00.000Z","why":"x"}');
  const { clock } = clocks();
  const { pauses, log } = opened(directory, clock);
  t.is(pauses.current(), null);
  t.regex(log.join(''), /File was corrupt and has been put aside/u);
});

test('what the agent is asked in one line is read as it was written, and nothing else is', (t) => {
  const asked = [
    { ask: 'status' },
    { ask: 'refresh' },
    { ask: 'resume' },
    { ask: 'reconnect' },
    { ask: 'pause', seconds: 60, why: 'two "words"' },
  ] as const;
  for (const request of asked) {
    t.deepEqual(readRequest(writeRequest(request)), request);
    t.false(writeRequest(request).includes('\n'));
  }
  const long = 365 * 24 * 3600;
  for (const line of [
    'pause',
    'pause {',
    'pause {"seconds":60}',
    'pause {"seconds":60,"why":""}',
    `pause {"seconds":${long},"why":"for ever"}`,
    'pause {"seconds":60,"why":"two\\nlines"}',
    'resume now',
  ])
    t.is(readRequest(line), null, line);
});

test('a run that somebody asks for is made in a pause, and is given it for its report', async (t) => {
  const stateDirectory = newStateDirectory();
  const children = fakeChildren();
  const core = createCore({
    minion: 'web-01',
    stateDirectory,
    atRest: createAtRest(nodeCrypto, atRestKey(nodeCrypto, new Uint8Array(32).fill(3))),
    startChild: children.start,
    readFacts: () => Promise.resolve({}),
    log: silentLog,
    now: () => new Date(NOON),
  });
  const config = { ...minionConfigSchema.parse({}), id: 'web-01', state_directory: stateDirectory };
  const { scheduler, intentions } = startIntending(core, config, silentLog);
  t.teardown(() => scheduler.stop());
  const { nextRefresh } = intentions();
  t.like(intentions(), { scheduleSource: 'default', pause: null });
  core.pauses.begin(REQUEST, 'minion');
  const paused = intentions();
  t.like(paused, { pause: { why: REQUEST.why, by: 'minion' } });
  t.true((paused.nextRefresh ?? '') >= (nextRefresh ?? ''));
  t.true((paused.nextRefresh ?? '') > (paused.pause?.until ?? ''));

  writeFileSync(
    join(stateDirectory, 'revision.json'),
    JSON.stringify({
      revision: 'a'.repeat(64),
      groups: [],
      share: 'b'.repeat(64),
      manifest: [],
      pillar: { id: 'c'.repeat(64), value: {}, secrets: [], fingerprintKey: 'd'.repeat(64) },
    }),
  );
  const job = core.refresh({ timeoutSeconds: 120 });
  while (children.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.like(children.requests[0]?.options, { cause: 'refresh', timeoutSeconds: 120 });
  t.like(children.requests[0]?.paused, { why: REQUEST.why, by: 'minion' });
  children.end('ok');
  while (core.spool.get(job) === null) await new Promise((resolve) => setTimeout(resolve, 5));
  const kept: unknown = JSON.parse(readFileSync(join(stateDirectory, 'pause.json'), 'utf8'));
  t.like(kept, { why: REQUEST.why, by: 'minion' });
});
