import test, { type ExecutionContext } from 'ava';
import {
  acceptedMinion,
  report,
  runNext,
  statesOf,
  testMaster,
  testMinion,
  type TestMaster,
  type TestMinion,
  until,
} from './harness.ts';

/** Minions `m1` to `mN`, connected. */
async function fleetOf(t: ExecutionContext, on: TestMaster, count: number): Promise<TestMinion[]> {
  const all: TestMinion[] = [];
  for (let number = 1; number <= count; number += 1)
    all.push(await acceptedMinion(t, on, { id: `m${number}`, seed: number }));
  return all;
}

function nth(fleet: readonly TestMinion[], number: number): TestMinion {
  const minion = fleet[number - 1];
  if (minion === undefined) throw new Error(`there is no m${number}`);
  return minion;
}

async function leave(on: TestMaster, minion: TestMinion): Promise<void> {
  await minion.leave();
  await until(() => on.master.services.presence.get(minion.id) === null);
}

const hasJob = ({ received }: TestMinion) => received.some(({ type }) => type === 'job');

/** Which of them have been sent a job. */
function having(fleet: readonly TestMinion[]): string[] {
  return fleet.filter(hasJob).map(({ id }) => id);
}

async function detached(on: TestMaster, ...flags: readonly string[]): Promise<string> {
  const { code, out, err } = await on.cli('apply', '--target', 'm*', '--detach', ...flags);
  if (code !== 0) throw new Error(err.join('\n'));
  return out[0] ?? '';
}

async function shown(on: TestMaster, job: string): Promise<string> {
  return (await on.cli('jobs', 'show', job)).out.join('\n');
}

test('a batch slides: as one target ends the next is delivered, and never more at once', async (t) => {
  const on = await testMaster(t);
  const fleet = await fleetOf(t, on, 5);
  const job = await detached(on, '--batch', '2');
  await until(() => having(fleet).length === 2);
  t.regex(await shown(on, job), /m3\tqueued\tonline\t.*\twaits for its turn, 2 at a time/u);
  t.deepEqual(having(fleet), ['m1', 'm2']);
  await runNext(nth(fleet, 2));
  await until(() => hasJob(nth(fleet, 3)));
  t.deepEqual(having(fleet), ['m1', 'm2', 'm3']);
  for (const number of [1, 3, 4, 5]) await runNext(nth(fleet, number));
  const changed = fleet.map(({ id }) => [id, 'changed']);
  t.deepEqual(Object.entries(await statesOf(on, job)), changed);
  t.is((await on.cli('jobs', 'watch', job)).code, 0);
});

test('after too many failures nothing more is delivered, and the rest says why', async (t) => {
  const on = await testMaster(t);
  const fleet = await fleetOf(t, on, 4);
  const [m1, m2] = [nth(fleet, 1), nth(fleet, 2)];
  const applying = on.cli('apply', '-t', 'm*', '--batch', '50%', '--max-failures', '1', '--json');
  await runNext(m1, { status: 'failed' });
  const { options } = await m2.next('job');
  await until(async () => (await statesOf(on, options.job))['m4'] === 'cancelled');
  t.is((await statesOf(on, options.job))['m2'], 'queued');
  await m2.send({ type: 'report', report: report(options.job, 'm2') });
  const { code, out } = await applying;
  t.is(code, 2);
  const { targets } = JSON.parse(out.join(''));
  t.like(targets[3], { minion: 'm4', state: 'cancelled', error: { code: 'FAILURES_REACHED' } });
  t.regex(
    targets[2].error.message,
    /^Not delivered: 1 target has failed, and with --max-failures 1 the job stops then$/u,
  );
  t.is(targets[1].state, 'changed');
  t.deepEqual(having(fleet), ['m1', 'm2']);
});

test('a master that dies in the middle of a batch goes on with it, and nobody gets it twice', async (t) => {
  const first = await testMaster(t);
  const fleet = await fleetOf(t, first, 4);
  const [m1, m2] = [nth(fleet, 1), nth(fleet, 2)];
  const job = await detached(first, '--batch', '1', '--max-failures', '2');
  await runNext(m1);
  await m2.next('job');
  await m2.send({ type: 'job-accepted', job, waiting: false });
  await until(async () => (await statesOf(first, job))['m2'] === 'delivered');

  const on = await first.restart();
  await on.master.services.jobs.tick();
  t.deepEqual(await statesOf(on, job), {
    m1: 'changed',
    m2: 'delivered',
    m3: 'queued',
    m4: 'queued',
  });
  t.regex(await shown(on, job), /m3\tqueued\toffline\t.*\toffline since the master started/u);
  const back: TestMinion[] = [];
  for (const [index, { id }] of fleet.entries()) {
    const minion = await testMinion(t, on, { id, seed: index + 1 });
    await minion.hello({ jobs: id === 'm2' ? [job] : [] });
    back.push(minion);
  }
  await until(() => on.master.services.presence.get('m4')?.capabilities != null);
  t.deepEqual(having(back), []);
  await nth(back, 2).send({ type: 'report', report: report(job, 'm2') });
  await runNext(nth(back, 3));
  await runNext(nth(back, 4));
  t.deepEqual(having(back), ['m3', 'm4']);
  t.deepEqual([...new Set(Object.values(await statesOf(on, job)))], ['changed']);
});

test('a target that is away gets the job when it is back in time, also from another master', async (t) => {
  const first = await testMaster(t);
  const fleet = await fleetOf(t, first, 2);
  const [m1, m2] = [nth(fleet, 1), nth(fleet, 2)];
  await leave(first, m2);
  const job = await detached(first, '--expires', '+1d', '--batch', '1');
  await runNext(m1);
  t.regex(
    await shown(first, job),
    /m2\tqueued\toffline\t.*\toffline; gets it if it is back before/u,
  );

  const on = await first.restart();
  const back = await testMinion(t, on, { id: 'm2', seed: 2 });
  await back.hello();
  await runNext(back);
  t.deepEqual(await statesOf(on, job), { m1: 'changed', m2: 'changed' });
});

test('what is not back in time has expired', async (t) => {
  const on = await testMaster(t);
  const m1 = nth(await fleetOf(t, on, 1), 1);
  await leave(on, m1);
  const job = await detached(on, '--expires', '+1s');
  t.deepEqual(await statesOf(on, job), { m1: 'queued' });
  await until(async () => {
    await on.master.services.jobs.sweep();
    return (await statesOf(on, job))['m1'] === 'expired';
  });
  t.regex(await shown(on, job), /expired\toffline\t.*\tThe job expired before its turn had come/u);
});

test('a job for later waits for its time, on disk', async (t) => {
  const first = await testMaster(t);
  await fleetOf(t, first, 1);
  const later = await detached(first, '--at', '+1h');
  t.regex(await shown(first, later), /m1\tqueued\tonline\t.*\tbegins at 20/u);
  t.regex((await first.cli('jobs', 'list')).out.join('\n'), /\ttop file\t1 queued, begins 20.*Z$/u);
  t.regex((await first.cli('status')).out.join('\n'), /\tqueued: begins at 20/u);
  const told = await first.cli('apply', '-t', 'm1', '-d', '--at', '+2h', '--expires', '+1d');
  const when = String.raw`20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \(.+\)`;
  t.is(told.out.length, 1);
  t.regex(told.err[0] ?? '', new RegExp(`^it begins at ${when}$`, 'u'));
  t.regex(told.err[1] ?? '', new RegExp(`^a target that is away gets it until ${when}$`, 'u'));
  const { out } = await first.cli('jobs', 'cancel', told.out[0] ?? '');
  t.notRegex(out.join('\n'), /revision|the tree/u);
  const job = await detached(first, '--at', '+1s');
  const on = await first.restart();
  const back = await testMinion(t, on, { id: 'm1', seed: 1 });
  await back.hello();
  const [{ job: got }] = await Promise.all([runNext(back), on.cli('jobs', 'watch', job)]);
  t.is(got, job);
  const { rollout } = JSON.parse((await on.cli('jobs', 'show', job, '--json')).out.join(''));
  t.true(Date.now() >= Date.parse(rollout.startsAt));
  t.deepEqual(await statesOf(on, later), { m1: 'queued' });
  const past = await on.cli('apply', '-t', 'm1', '--at', '2020-01-01');
  t.is(past.code, 1);
  t.regex(past.err.join(), /was to begin at 20.*, which is over/u);
});

test('a job for later applies the tree as it is when it begins', async (t) => {
  const on = await testMaster(t);
  const m1 = nth(await fleetOf(t, on, 1), 1);
  const before = on.master.services.publisher.newest()?.revision ?? '';
  const job = await detached(on, '--at', '+4s');
  t.regex(await shown(on, job), /made .*, the tree as it is when it begins, begins 20/u);
  const watching = Promise.all([
    on.cli('jobs', 'watch', job),
    on.cli('jobs', 'watch', job, '--json'),
  ]);
  on.write({ 'states/notes.yaml': 'hello:\n  note.present:\n    text: later\n' });
  await on.master.services.publisher.refresh();
  const after = on.master.services.publisher.newest()?.revision ?? '';
  t.not(after, before);
  const message = await m1.next('job');
  t.is(message.revision, after);
  const { revision } = JSON.parse((await on.cli('jobs', 'show', job, '--json')).out.join(''));
  t.is(revision, after);
  await m1.send({ type: 'report', report: report(job, 'm1', { revision: after }) });
  const [watched, document] = await watching;
  t.is(watched.out[0], `job ${job}, the tree as it is when it begins, 1 target`);
  t.is(JSON.parse(document.out.join('')).revision, after);
});

test('a cancel reaches a minion that was away, even if the master has been restarted since', async (t) => {
  const first = await testMaster(t);
  const fleet = await fleetOf(t, first, 2);
  const [m1, m2] = [nth(fleet, 1), nth(fleet, 2)];
  const job = await detached(first);
  for (const minion of [m1, m2]) await minion.next('job');
  // That m2 has accepted it is never heard here.
  await m1.send({ type: 'job-accepted', job, waiting: false });
  await until(async () => (await statesOf(first, job))['m1'] === 'delivered');
  for (const minion of [m1, m2]) await leave(first, minion);
  await first.cli('jobs', 'cancel', job);
  t.deepEqual(await statesOf(first, job), { m1: 'delivered', m2: 'cancelled' });

  const on = await first.restart();
  for (const [index, id] of ['m1', 'm2'].entries()) {
    const back = await testMinion(t, on, { id, seed: index + 1 });
    await back.hello({ jobs: [job] });
    t.is((await back.next('cancel')).job, job);
  }
});

test('a minion that is busy is told whether it may let a job wait, and says that it does', async (t) => {
  const on = await testMaster(t);
  const m1 = nth(await fleetOf(t, on, 1), 1);
  const refused = await detached(on, '--no-queue');
  await until(async () => (await statesOf(on, refused))['m1'] === 'failed');
  t.regex(await shown(on, refused), /too old to know --no-queue/u);

  await m1.hello({ capabilities: ['refuses-when-busy'] });
  await until(() => on.master.services.presence.get('m1')?.capabilities?.size === 1);
  await detached(on, '--no-queue');
  t.is((await m1.next('job')).queue, false);
  const waiting = await detached(on);
  t.is((await m1.next('job')).queue, undefined);
  await m1.send({ type: 'job-accepted', job: waiting, waiting: true });
  await until(async () => (await statesOf(on, waiting))['m1'] === 'delivered');
  await until(async () => (await shown(on, waiting)).includes('waits for another run'));
  await m1.send({ type: 'job-event', job: waiting, event: { event: 'compiling' } });
  await until(async () => !(await shown(on, waiting)).includes('waits for another run'));
  t.is((await statesOf(on, waiting))['m1'], 'running');
});
