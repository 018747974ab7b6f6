import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { Fault } from './fault.ts';
import { inLanes, tasksOf } from './lanes.ts';

function fault(name: string, more: Partial<Fault> = {}): Fault {
  return { name, rounds: null, isFast: false, run: async () => [], ...more };
}

test('a fault in parts has its rounds divided, and every part and time a seed of its own', (t) => {
  const faults = [fault('kills', { rounds: 200, parts: 4 }), fault('clock')];
  const tasks = tasksOf(faults, { times: 2, seed: 7, rounds: null });
  t.deepEqual(
    tasks.slice(0, 5).map(({ name, rounds, seed }) => [name, rounds, seed]),
    [
      ['kills (1 of 4)', 50, 7],
      ['kills (2 of 4)', 50, 8],
      ['kills (3 of 4)', 50, 9],
      ['kills (4 of 4)', 50, 10],
      ['clock', 1, 7],
    ],
  );
  t.is(tasks.length, 10);
  t.is(tasks[5]?.seed, 107);
});

test('rounds that are asked for hold for what has rounds', (t) => {
  const tasks = tasksOf([fault('kills', { rounds: 200, parts: 4 }), fault('clock')], {
    times: 1,
    seed: 1,
    rounds: 8,
  });
  t.deepEqual(
    tasks.map(({ rounds }) => rounds),
    [2, 2, 2, 2, 1],
  );
});

test('what needs the machine is alone, of what is busy one goes on at a time, and all is done once', async (t) => {
  const faults = [
    fault('a'),
    fault('b', { load: 'busy' }),
    fault('c', { load: 'busy' }),
    fault('d', { load: 'alone' }),
    fault('e', { load: 'long' }),
    fault('f', { load: 'busy' }),
  ];
  const tasks = tasksOf(faults, { times: 2, seed: 1, rounds: null });
  const now = new Set<Fault>();
  let most = 0;
  const done = await inLanes(tasks, 3, async ({ fault: one, name }) => {
    now.add(one);
    most = Math.max(most, now.size);
    t.true([...now].filter(({ load }) => load === 'busy').length <= 1);
    if (one.load === 'alone') t.is(now.size, 1);
    await sleep(2);
    if (one.load === 'alone') t.is(now.size, 1);
    now.delete(one);
    return name;
  });
  t.deepEqual(
    done,
    tasks.map(({ name }) => name),
  );
  t.true(most > 1);
});
