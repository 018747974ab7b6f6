import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { openDatabase } from '../../../master/store/sqlite/database.ts';
import { groupCommits } from '../../../master/store/sqlite/group-commit.ts';

test('a commit that took long is followed by a pause, and what comes in meanwhile shares the next one', async (t) => {
  const database = await openDatabase(':memory:');
  t.teardown(() => database.destroy());
  const { commit } = groupCommits(database);
  const done: string[] = [];
  const first = commit(async () => sleep(100)).then(() => done.push('first'));
  await first;
  const second = commit(async () => 'second').then((name) => done.push(name));
  for (let turns = 0; turns < 5; turns += 1) await turn();
  t.deepEqual(done, ['first'], 'the second waits');
  const third = commit(async () => 'third').then((name) => done.push(name));
  await second;
  t.deepEqual(done, ['first', 'second', 'third'], 'both were committed at once');
  await third;
});

test('after a quiet time nobody waits', async (t) => {
  const database = await openDatabase(':memory:');
  t.teardown(() => database.destroy());
  const { commit } = groupCommits(database);
  await commit(async () => sleep(100));
  await sleep(200);
  const done: string[] = [];
  const next = commit(async () => 'next').then((name) => done.push(name));
  for (let turns = 0; turns < 50; turns += 1) await turn();
  t.deepEqual(done, ['next']);
  await next;
});

test('who waits until all has settled finds all of it on disk', async (t) => {
  const database = await openDatabase(':memory:');
  t.teardown(() => database.destroy());
  const { commit, settled } = groupCommits(database);
  const done: string[] = [];
  await commit(async () => sleep(100));
  void commit(async () => 'pausing').then((name) => done.push(name));
  await settled();
  t.deepEqual(done, ['pausing']);
});
