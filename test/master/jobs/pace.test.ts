import test from 'ava';
import { createPace } from '../../../master/jobs/pace.ts';

/** A pace whose time goes by only while something is done, or slept. */
function timed() {
  const time = { at: 1000 };
  const slept: number[] = [];
  const pace = createPace(
    () => time.at,
    (milliseconds) => {
      slept.push(milliseconds);
      time.at += milliseconds;
      return Promise.resolve();
    },
  );
  const look = (milliseconds: number) =>
    pace.take(() => {
      time.at += milliseconds;
      return Promise.resolve(milliseconds);
    });
  return { time, slept, look };
}

test('after a look there is time for other work, four times as long as it took', async (t) => {
  const { slept, look } = timed();
  t.is(await look(10), 10);
  t.deepEqual(slept, []);
  await look(5);
  await look(0);
  t.deepEqual(slept, [40, 20]);
});

test('time that has gone by counts, and no rest is longer than a quarter of a second', async (t) => {
  const { time, slept, look } = timed();
  await look(20);
  time.at += 60;
  await look(1_000);
  await look(1);
  t.deepEqual(slept, [20, 250]);
});

test('a look that fails is rested from as well, and says why', async (t) => {
  const { time, slept, look } = timed();
  const failing = createPace(
    () => time.at,
    (milliseconds) => Promise.resolve(slept.push(milliseconds)),
  );
  const fail = () => {
    time.at += 3;
    return Promise.reject(new Error('no disk'));
  };
  await t.throwsAsync(failing.take(fail), { message: 'no disk' });
  await failing.take(() => look(1));
  t.deepEqual(slept, [12]);
});
