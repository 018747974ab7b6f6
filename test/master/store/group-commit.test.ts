import { EventEmitter, once } from 'node:events';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { openDatabase } from '../../../master/store/sqlite/database.ts';
import { groupCommits } from '../../../master/store/sqlite/group-commit.ts';

/** Commits by a clock that the test sets; `slept` is emitted with what is slept, which `woken` ends. */
async function slowDisk(t: ExecutionContext) {
  const database = await openDatabase(':memory:');
  t.teardown(() => database.destroy());
  const [clock, bed] = [{ now: 0 }, new EventEmitter()];
  const sleep = async (milliseconds: number): Promise<void> => {
    const woken = once(bed, 'woken');
    bed.emit('slept', milliseconds);
    await woken;
  };
  const commits = groupCommits(database, { now: () => clock.now, sleep });
  await commits.commit(async () => {
    clock.now += 20;
  });
  return { ...commits, clock, bed };
}

test('a commit that took long is followed by a pause, and what comes in meanwhile shares the next one', async (t) => {
  const { commit, bed, clock } = await slowDisk(t);
  const done: string[] = [];
  const slept = once(bed, 'slept');
  const second = commit(async () => 'second').then((name) => done.push(name));
  t.deepEqual(await slept, [20]);
  const third = commit(async () => 'third').then((name) => done.push(name));
  t.deepEqual(done, []);
  clock.now += 20;
  bed.emit('woken');
  await second;
  t.deepEqual(done, ['second', 'third'], 'both were committed at once');
  await third;
});

test('after a quiet time nobody waits', async (t) => {
  const { commit, bed, clock } = await slowDisk(t);
  bed.once('slept', () => t.fail('it has slept'));
  clock.now += 20;
  t.is(await commit(async () => 'next'), 'next');
});

test('who waits until all has settled finds all of it on disk', async (t) => {
  const { commit, settled, bed } = await slowDisk(t);
  const done: string[] = [];
  bed.once('slept', () => setImmediate(() => bed.emit('woken')));
  const pausing = commit(async () => 'pausing').then((name) => done.push(name));
  await settled();
  t.deepEqual(done, ['pausing']);
  await pausing;
});
