import test from 'ava';
import type { ExecutionContext } from 'ava';
import { MINUTE, quietWorld } from './quiet-world.ts';

/** A master that was killed: `m1` had come long before `m2`, and `m3` had gone. */
async function afterCrash(t: ExecutionContext) {
  const world = await quietWorld(t);
  await world.arrive('m1');
  await world.pass(60 * MINUTE);
  await world.goAway(await world.arrive('m3'));
  await world.pass(60 * MINUTE);
  await world.arrive('m2');
  await world.store.attendance.alive('2026-05-05T14:05:00.000Z');
  await world.pass(3 * 60 * MINUTE);
  const states = async (job: { id: string }) =>
    (await world.store.jobs.targets(job.id)).map(({ state, error }) => error?.message ?? state);
  return { ...world, states };
}

const EVERYBODY = ['m1', 'm2', 'm3'];
const GONE = '"m3" is offline (last seen 2026-05-05T13:00:00.000Z)';
const LOST = '"m1" is offline (last seen 2026-05-05T14:05:00.000Z)';

test('who was connected when the master was killed is awaited, however long ago it had come', async (t) => {
  const { begin, pass, states, startAnew } = await afterCrash(t);
  const anew = startAnew();
  await anew.resume();
  const job = await begin(EVERYBODY, {}, anew);
  t.deepEqual(await states(job), ['queued', 'queued', GONE]);
  await pass(90_000);
  await anew.tick();
  t.deepEqual(await states(job), [LOST, LOST.replace('m1', 'm2'), GONE]);
});

test('a job that is made after a crash for a moment later awaits them too', async (t) => {
  const { begin, pass, states, startAnew } = await afterCrash(t);
  const anew = startAnew();
  await anew.resume();
  const job = await begin(EVERYBODY, { startsAt: '2026-05-05T17:00:10.000Z' }, anew);
  await pass(10_000);
  await anew.tick();
  t.deepEqual(await states(job), ['queued', 'queued', GONE]);
});

test('a master that is killed before they are back leaves them to the next one, and one that awaited them in vain does not', async (t) => {
  const { store, begin, pass, states, startAnew } = await afterCrash(t);
  await startAnew().resume();
  await store.attendance.alive('2026-05-05T17:00:00.000Z');
  const third = startAnew();
  await third.resume();
  t.is((await states(await begin(['m1'], {}, third)))[0], 'queued');
  await pass(90_000);
  await third.tick();
  const fourth = startAnew();
  await fourth.resume();
  t.is((await states(await begin(['m1'], {}, fourth)))[0], LOST);
});

test('a disk that is full does not keep a master from starting', async (t) => {
  const { store, begin, states, startAnew } = await afterCrash(t);
  Object.assign(store.attendance, { takeOver: () => Promise.reject(new Error('full')) });
  const anew = startAnew();
  await anew.resume();
  t.is((await states(await begin(['m1'], {}, anew)))[0], 'queued');
});
