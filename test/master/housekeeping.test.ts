import { mock } from 'node:test';
import test from 'ava';
import { startHousekeeping } from '../../master/housekeeping.ts';
import { quietWorld } from './jobs/quiet-world.ts';

test('a master notes once a minute that it lives, and so that those who are connected do', async (t) => {
  const world = await quietWorld(t);
  await world.arrive('m1');
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const housekeeping = startHousekeeping(world, { days: 90, megabytes: 2048 });
  await world.pass(60_000);
  mock.timers.tick(60_000);
  mock.timers.reset();
  housekeeping.stop();
  await world.store.attendance.takeOver();
  t.is((await world.store.minions.get('m1'))?.seenAt, '2026-05-05T12:01:00.000Z');
});
