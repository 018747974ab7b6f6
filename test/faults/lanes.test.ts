import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { Fault, Task } from './fault.ts';
import { inLanes, minutesIn, tasksOf } from './lanes.ts';

function fault(name: string, more: Partial<Fault> = {}): Fault {
  return { name, rounds: null, usualMinutes: 1, isFast: false, run: async () => [], ...more };
}

function tasksFor(...faults: readonly Fault[]): Task[] {
  return tasksOf(faults, { times: 1, seed: 1, rounds: null });
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

test('rounds that are asked for hold for what has rounds, and make it shorter', (t) => {
  const faults = [fault('kills', { rounds: 200, parts: 4, usualMinutes: 40 }), fault('clock')];
  const tasks = tasksOf(faults, { times: 1, seed: 1, rounds: 20 });
  t.deepEqual(
    tasks.map(({ rounds, minutes }) => [rounds, minutes]),
    [
      [5, 1],
      [5, 1],
      [5, 1],
      [5, 1],
      [1, 1],
    ],
  );
});

test('what waits goes on beside what is busy, what measures beside nothing that is, and all is done once', async (t) => {
  const tasks = tasksOf(
    [
      fault('a', { load: 'measures' }),
      ...['b', 'c', 'd'].map((name) => fault(name)),
      ...['e', 'f', 'g'].map((name) => fault(name, { load: 'idle' })),
    ],
    { times: 2, seed: 1, rounds: null },
  );
  const now = new Map<number, Task>();
  const most = { busy: 0, idle: 0 };
  const countOf = (load: Fault['load']): number =>
    [...now.values()].filter((task) => task.fault.load === load).length;
  const done = await inLanes(tasks, { busy: 2, idle: 2 }, async (task, lane) => {
    t.false(now.has(lane), 'a lane does one thing at a time');
    t.is(countOf('measures'), 0, 'nothing begins beside what measures');
    now.set(lane, task);
    most.busy = Math.max(most.busy, countOf(undefined));
    most.idle = Math.max(most.idle, countOf('idle'));
    if (task.fault.load === 'measures') t.is(countOf(undefined), 0);
    await sleep(2);
    now.delete(lane);
    return task.name;
  });
  t.deepEqual(
    done,
    tasks.map(({ name }) => name),
  );
  t.deepEqual(most, { busy: 2, idle: 2 });
});

test('without a lane for it, what waits takes turns with the others', async (t) => {
  const tasks = tasksFor(
    fault('a', { load: 'idle' }),
    fault('b'),
    fault('c', { load: 'measures' }),
  );
  let now = 0;
  const done = await inLanes(tasks, { busy: 1, idle: 0 }, async ({ name }) => {
    now += 1;
    t.is(now, 1);
    await sleep(2);
    now -= 1;
    return name;
  });
  t.deepEqual(done, ['a', 'b', 'c']);
  t.is(minutesIn(tasks, { busy: 1, idle: 0 }), 3);
});

test('nothing at all takes no time', async (t) => {
  t.deepEqual(await inLanes([], { busy: 1, idle: 1 }, async () => 1), []);
  t.is(minutesIn([], { busy: 1, idle: 1 }), 0);
});

test('how long it takes follows from the lanes: the longest is begun first, what measures comes last', (t) => {
  const tasks = tasksFor(
    fault('short', { usualMinutes: 2 }),
    fault('measures', { usualMinutes: 3, load: 'measures' }),
    fault('middle', { usualMinutes: 4 }),
    fault('long', { usualMinutes: 6 }),
    fault('waits', { usualMinutes: 10, load: 'idle' }),
  );
  t.is(minutesIn(tasks, { busy: 2, idle: 1 }), 10);
  t.is(minutesIn(tasks.slice(0, 4), { busy: 2, idle: 1 }), 9);
  t.is(minutesIn(tasks, { busy: 1, idle: 1 }), 15);
});
