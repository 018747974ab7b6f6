import test from 'ava';
import { parseMoment, parsePast } from '../../../master/cli/moment.ts';
import { readRollout } from '../../../master/cli/rollout-options.ts';
import { planTurns, type Queued, type Standing } from '../../../master/jobs/plan-turns.ts';
import {
  ALL_AT_ONCE,
  batchSize,
  checkTimes,
  failureLimit,
  type Rollout,
} from '../../../master/jobs/rollout.ts';
import type { TargetState } from '../../../protocol/messages.ts';

const NOW = new Date('2026-05-05T12:00:00.000Z');

function job(rollout: Partial<Rollout> = {}, cancelledAt: string | null = null) {
  return {
    id: '019a0000-0000-7000-8000-000000000000',
    createdAt: NOW.toISOString(),
    target: '*',
    stateFiles: [],
    params: {},
    dryRun: false,
    timeoutSeconds: 60,
    revision: 'a'.repeat(64),
    rollout: { ...ALL_AT_ONCE, ...rollout },
    cancelledAt,
    retryOf: null,
  };
}

function standing(
  where: readonly Queued['is'][],
  tally: readonly (readonly [TargetState, number])[] = [],
  more: Partial<Standing> = {},
): Standing {
  const queued = where.map((is, index) => ({ minion: `m${index}`, is, expiresAt: null }));
  const all = new Map([['queued', where.length] as const, ...tally]);
  return { now: NOW, tally: all, resting: 0, away: [], vanished: [], queued, ...more };
}

const delivered = (...of: Parameters<typeof planTurns>) =>
  planTurns(...of).deliver.map(({ minion }) => minion);

test('without a batch all that are there get it, and the others are unreachable', (t) => {
  const turns = planTurns(job(), standing(['here', 'away', 'here', 'awaited', 'sent']));
  t.deepEqual(
    turns.deliver.map(({ minion }) => minion),
    ['m0', 'm2'],
  );
  t.deepEqual(turns.unreachable, ['m1']);
  t.deepEqual(turns.end, []);
});

test('a batch has so many places, and one that rests after a run is taken', (t) => {
  const three = job({ batch: '3' });
  const here = ['here', 'here', 'here', 'here'] as const;
  t.deepEqual(delivered(three, standing(here)), ['m0', 'm1', 'm2']);
  t.deepEqual(delivered(three, standing(here, [['running', 1]])), ['m0', 'm1']);
  t.deepEqual(delivered(three, standing(here, [['delivered', 3]])), []);
  t.deepEqual(delivered(three, standing(['sent', ...here], [['running', 1]])), ['m1']);
  t.deepEqual(delivered(three, standing(here, [['changed', 9]], { resting: 2 })), ['m0']);
});

test('who is awaited takes no place, and who is away is told so when its turn has come', (t) => {
  const one = job({ batch: '1' });
  t.deepEqual(delivered(one, standing(['awaited', 'here', 'here'])), ['m1']);
  t.deepEqual(planTurns(one, standing(['away', 'here', 'away'])).unreachable, ['m0']);
  t.deepEqual(planTurns(one, standing(['away'], [['running', 1]])).unreachable, []);
});

test('who has vanished in mid-run holds no place, but is a failure as long as it is away', (t) => {
  const here = ['here', 'here'] as const;
  const running = [['running', 1]] as const;
  const one = job({ batch: '1' });
  t.deepEqual(delivered(one, standing(here, running)), []);
  t.deepEqual(delivered(one, standing(here, running, { vanished: ['gone'] })), ['m0']);
  const careful = job({ batch: '1', maxFailures: '1' });
  const held = planTurns(careful, standing([...here, 'away'], running, { vanished: ['gone'] }));
  t.deepEqual([held.deliver, held.unreachable, held.end], [[], [], []]);
  const two = job({ batch: '1', maxFailures: '2' });
  t.deepEqual(delivered(two, standing(here, running, { vanished: ['gone'] })), ['m0']);
});

test('what was sent to one that is away holds its place', (t) => {
  const sent = { minion: 'm0', is: 'awaited', expiresAt: '2026-05-05T12:10:00.000Z' } as const;
  const here = { minion: 'm1', is: 'here', expiresAt: null } as const;
  const queued = [sent, here];
  const one = job({ batch: '1' });
  t.deepEqual(delivered(one, standing([], [['queued', 2]], { queued })), []);
  t.deepEqual(delivered(one, standing([], [['queued', 2]], { queued, vanished: ['gone'] })), [
    'm1',
  ]);
});

test('nothing happens before its time', (t) => {
  const later = job({ startsAt: '2026-05-05T12:00:01.000Z' });
  const none = { deliver: [], unreachable: [], end: [], because: null };
  t.deepEqual(planTurns(later, standing(['here', 'away'])), none);
  const now = new Date('2026-05-05T12:00:01.000Z');
  t.deepEqual(delivered(later, standing(['here'], [], { now })), ['m0']);
});

test('when too many have failed the rest ends, but for what has been sent', (t) => {
  const two = job({ batch: '2', maxFailures: '2' });
  t.deepEqual(delivered(two, standing(['here'], [['failed', 1]])), ['m0']);
  for (const state of ['failed', 'timeout', 'expired', 'unreachable', 'interrupted'] as const) {
    const tally = [
      ['failed', state === 'failed' ? 2 : 1],
      [state, state === 'failed' ? 2 : 1],
    ] as const;
    const turns = planTurns(two, standing(['sent', 'here', 'away', 'awaited'], tally));
    t.deepEqual(turns.end, ['m1', 'm2', 'm3'], state);
    t.is(turns.because?.code, 'FAILURES_REACHED');
    t.deepEqual([turns.deliver, turns.unreachable], [[], []]);
  }
  const away = planTurns(two, standing(['here', 'away', 'away', 'here', 'away']));
  t.deepEqual([away.deliver, away.unreachable], [[], ['m1', 'm2']]);
});

test('what is cancelled ends everywhere where it has not been accepted', (t) => {
  const cancelled = job({ startsAt: '2026-06-01T00:00:00.000Z' }, NOW.toISOString());
  const turns = planTurns(cancelled, standing(['sent', 'here', 'away']));
  t.deepEqual([turns.end, turns.because?.code], [['m0', 'm1', 'm2'], 'CANCELLED']);
});

const sizes = (batch: string | null) => batchSize({ ...ALL_AT_ONCE, batch }, 15);
const limits = (maxFailures: string | null) => failureLimit({ ...ALL_AT_ONCE, maxFailures }, 15);
const check = (times: Partial<Rollout>) => () => checkTimes({ ...ALL_AT_ONCE, ...times }, NOW);
const reading = (options: object) => () => readRollout({ queue: true, ...options }, NOW);

test('shares are numbers or percent of the targets, and at least one', (t) => {
  t.deepEqual(
    [sizes(null), sizes('4'), sizes('10%'), sizes('1%'), sizes('100%')],
    [15, 4, 1, 1, 15],
  );
  t.deepEqual([limits(null), limits('3'), limits('10%'), limits('1%')], [Infinity, 3, 2, 1]);
});

test('times that are over, or in the wrong order, are refused', (t) => {
  t.notThrows(check({ startsAt: '2026-05-05T11:59:30.000Z' }));
  t.notThrows(check({ startsAt: '2026-05-06T00:00:00Z', expiresAt: '2026-05-07T00:00:00Z' }));
  for (const [times, message] of [
    [{ startsAt: '2026-05-05T11:00:00Z' }, /which is over/u],
    [{ expiresAt: '2026-05-05T11:00:00Z' }, /before it begins/u],
    [{ startsAt: '2026-05-06T00:00:00Z', expiresAt: '2026-05-05T23:00:00Z' }, /before it begins/u],
    [{ startsAt: '2028-05-06T00:00:00Z' }, /more than a year ahead/u],
  ] as const)
    t.throws(check(times), { code: 'USAGE', message } as object);
});

test('moments are read from now, by the clock, or in full', (t) => {
  const read = (text: string) => parseMoment('--at', text, NOW);
  t.is(read('+2h'), '2026-05-05T14:00:00.000Z');
  t.is(read('2026-12-31T22:30Z'), '2026-12-31T22:30:00.000Z');
  t.is(read('2026-12-31T22:30:00+02:00'), '2026-12-31T20:30:00.000Z');
  t.is(read('2026-12-31 22:30'), new Date(2026, 11, 31, 22, 30).toISOString());
  t.is(read('2026-12-31'), new Date(2026, 11, 31).toISOString());
  const clock = new Date(read('22:30'));
  t.deepEqual([clock.getHours(), clock.getMinutes(), clock.getSeconds()], [22, 30, 0]);
  t.true(clock > NOW && clock.getTime() - NOW.getTime() <= 86_400_000);
  for (const text of [
    '',
    '25:00',
    'tomorrow',
    '2026-13-01',
    '2026-02-31',
    '2026-02-30T10:00',
    '+soon',
    '+2',
    '90',
  ])
    t.throws(() => read(text), { code: 'USAGE' } as object, text);
  t.is(parsePast('--since', '2d', NOW), '2026-05-03T12:00:00.000Z');
  t.is(parsePast('--since', '2026-01-01T00:00Z', NOW), '2026-01-01T00:00:00.000Z');
  for (const text of ['yesterday', '2'])
    t.throws(() => parsePast('--since', text, NOW), { code: 'USAGE' } as object);
});

test('an option that cannot be read is told by its name', (t) => {
  t.deepEqual(reading({ batch: '10%', batchWait: '30s', maxFailures: '2' })(), {
    ...ALL_AT_ONCE,
    batch: '10%',
    batchWaitSeconds: 30,
    maxFailures: '2',
  });
  t.throws(reading({ batch: '0' }), { code: 'USAGE', message: /--batch "0"/u } as object);
  t.throws(reading({ maxFailures: '101%' }), { message: /--max-failures "101%"/u });
  t.throws(reading({ batchWait: '3s' }), { message: /--batch-wait without --batch/u });
  t.throws(reading({ batch: '1', batchWait: '3' }), { message: /--batch-wait "3": write 90s/u });
  for (const batchWait of ['-2m', '0s', '100d', '25h'])
    t.throws(reading({ batch: '1', batchWait }), {
      message: `Cannot read --batch-wait "${batchWait}": write 90s, 30m or 1h, and 1d at most`,
    });
  t.is(reading({ batch: '1', batchWait: '1d' })().batchWaitSeconds, 86_400);
  t.throws(reading({ at: '+2' }), { message: /--at "\+2": write 22:30, \+2h, or/u });
  t.throws(reading({ expires: '+1' }), { message: /--expires "\+1": write 22:30, \+2h, or/u });
});
