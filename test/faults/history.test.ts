import test from 'ava';
import { judgeHistory } from './history.ts';
import type { Happening } from './history.ts';
import { randomFrom } from './random.ts';

const at = { job: 'j', minion: 'm' } as const;

const good: readonly Happening[] = [
  { what: 'issued', ...at },
  { what: 'started', ...at, start: 1 },
  { what: 'ended', ...at, status: 'changed' },
  { what: 'committed', ...at },
  { what: 'state', ...at, state: 'changed' },
  { what: 'report', ...at, status: 'changed' },
];

function without(...whats: Happening['what'][]): Happening[] {
  return good.filter(({ what }) => !whats.includes(what));
}

test('a job that has started, ended and been stored once is in order', (t) => {
  t.deepEqual(judgeHistory(good), []);
});

test('a job that nobody can know more of is in order', (t) => {
  const interrupted: Happening[] = [
    { what: 'issued', ...at },
    { what: 'started', ...at, start: 1 },
    { what: 'state', ...at, state: 'interrupted' },
  ];
  t.deepEqual(judgeHistory(interrupted), []);
  t.deepEqual(
    judgeHistory([{ what: 'ended', ...at, status: 'ok' }, ...without('issued', 'ended', 'started')])
      .length,
    0,
  );
});

const broken: readonly (readonly [string, readonly Happening[]])[] = [
  ['its run ended changed, and its report is lost', without('report', 'committed')],
  ['it has 0 states ()', without('state')],
  [
    'it has not ended: it is running',
    [...without('state', 'ended'), { what: 'state', ...at, state: 'running' }],
  ],
  ['it has 2 states (changed, changed)', [...good, { what: 'state', ...at, state: 'changed' }]],
  ['it has 2 reports', [...good, { what: 'report', ...at, status: 'changed' }]],
  ['its report was stored 2 times', [...good, { what: 'committed', ...at }]],
  ['its starts are 1, 1', [...good, { what: 'started', ...at, start: 1 }]],
  ['it has ended 2 times', [...good, { what: 'ended', ...at, status: 'changed' }]],
  [
    'it is ok, and its report says changed',
    [...without('state'), { what: 'state', ...at, state: 'ok' }],
  ],
  ['it is changed without a report', without('report', 'ended')],
  ['it is still in the spool', [...good, { what: 'left', ...at, where: 'the spool' }]],
];

for (const [complaint, history] of broken) {
  test(`it is seen: ${complaint}`, (t) => {
    t.true(
      judgeHistory(history).includes(`job j on m: ${complaint}`),
      judgeHistory(history).join('\n'),
    );
  });
}

function ten(seed: number): number[] {
  const random = randomFrom(seed);
  return Array.from({ length: 10 }, () => random.below(1000));
}

test('a seed gives the same moments again, and another gives others', (t) => {
  t.deepEqual(ten(7), ten(7));
  t.notDeepEqual(ten(7), ten(8));
  t.true(ten(7).every((number) => number >= 0 && number < 1000));
});
