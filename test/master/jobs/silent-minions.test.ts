import test from 'ava';
import type { JobEvent } from '../../../protocol/messages.ts';
import { report, until } from '../harness.ts';
import { MINUTE, quietWorld } from './quiet-world.ts';

test('a minion that vanishes in mid-run gives its place in a batch to the next after five minutes', async (t) => {
  const { jobs, sent, arrive, goAway, begin, pass } = await quietWorld(t);
  const [m1] = await Promise.all(['m1', 'm2', 'm3'].map(arrive));
  const job = await begin(['m1', 'm2', 'm3'], { batch: '1' });
  await jobs.accepted('m1', job.id, { waiting: false });
  await pass(MINUTE);
  if (m1 !== undefined) await goAway(m1);
  await pass(4 * MINUTE);
  t.deepEqual(sent, ['m1']);
  await pass(MINUTE);
  t.deepEqual(sent, ['m1', 'm2']);
  await jobs.accepted('m2', job.id, { waiting: false });
  await pass(MINUTE);
  t.deepEqual(sent, ['m1', 'm2']);
});

test('with as many failures allowed as have vanished, the next waits until they are back', async (t) => {
  const { jobs, store, sent, arrive, goAway, begin, pass } = await quietWorld(t);
  const [m1] = await Promise.all(['m1', 'm2'].map(arrive));
  const job = await begin(['m1', 'm2'], { batch: '1', maxFailures: '1' });
  await jobs.accepted('m1', job.id, { waiting: false });
  if (m1 !== undefined) await goAway(m1);
  await pass(10 * MINUTE);
  t.deepEqual(sent, ['m1']);
  await jobs.reconcile(await arrive('m1'), [job.id]);
  await jobs.reported('m1', report(job.id, 'm1'));
  await until(() => sent.length === 2);
  t.deepEqual(
    (await store.jobs.targets(job.id)).map(({ state }) => state),
    ['changed', 'queued'],
  );
});

test('those who look at a batch are told who vanished in it and keeps the others waiting, also live', async (t) => {
  const { jobs, store, arrive, goAway, begin, pass } = await quietWorld(t);
  const [m1] = await Promise.all(['m1', 'm2'].map(arrive));
  const job = await begin(['m1', 'm2'], { batch: '1', maxFailures: '1' });
  await jobs.accepted('m1', job.id, { waiting: false });
  const stop = new AbortController();
  const watch = (told: string[]) => async () => {
    for await (const event of jobs.follow(job, stop.signal))
      if ('waits' in event) told.push(`${event.minion}: ${event.waits ?? ''}`);
  };
  const live: string[] = [];
  const later: string[] = [];
  const shown = async () => (await store.jobs.targets(job.id)).map(await jobs.waitsIn(job));
  const watching = [watch(live)()];
  await until(() => live.includes('m2: waits for its turn, 1 at a time'));
  if (m1 !== undefined) await goAway(m1);
  const away = 'The minion has disconnected; its result will come when it is back';
  const keeps = `${away}; until then, but for five minutes at most, it keeps its place`;
  const turn = 'waits for its turn, 1 at a time: away, and keeping a place for five minutes: m1';
  t.deepEqual(await shown(), [keeps, turn]);
  await until(() => live.includes(`m1: ${away}`));
  for (let minute = 0; minute < 6; minute += 1) await pass(MINUTE);
  const failed = `${away}; until then the others wait, as it counts as failed`;
  const held =
    'waits until those that vanished in mid-run are back or given up, as they count as failed: m1';
  t.deepEqual(await shown(), [failed, held]);
  await until(() => live.includes(`m1: ${failed}`));
  t.is(live.filter((line) => line === `m1: ${failed}`).length, 1);
  watching.push(watch(later)());
  await until(() => later.length === 2);
  t.deepEqual(later, [`m1: ${failed}`, `m2: ${held}`]);
  stop.abort();
  await Promise.all(watching);
});

test('a target that runs and is offline is told so also to who looks later, without a batch too', async (t) => {
  const { jobs, store, arrive, goAway, begin } = await quietWorld(t);
  const m1 = await arrive('m1');
  const job = await begin(['m1'], {});
  await jobs.progressed('m1', job.id, { event: 'compiling' });
  await goAway(m1);
  const shown = (await store.jobs.targets(job.id)).map(await jobs.waitsIn(job));
  t.deepEqual(shown, ['The minion has disconnected; its result will come when it is back']);
});

test('a minion that has come and says nothing is told as one that does not answer', async (t) => {
  const { store, jobs, sent, arrive, begin } = await quietWorld(t);
  const session = await arrive('m1');
  session.capabilities = null;
  const job = await begin(['m1'], {});
  const [target] = await store.jobs.targets(job.id);
  t.deepEqual([target?.state, sent], ['queued', []]);
  const waits = target === undefined ? null : (await jobs.waitsIn(job))(target);
  t.is(waits, `connected since ${session.connectedAt} without a word; the minion does not answer`);
});

test('a clock that is set makes nobody vanish, and holds no place for one that has', async (t) => {
  const { jobs, sent, arrive, goAway, begin, pass, setClock } = await quietWorld(t);
  const [m1] = await Promise.all(['m1', 'm2', 'm3'].map(arrive));
  await pass(10 * MINUTE);
  const job = await begin(['m1', 'm2', 'm3'], { batch: '1' });
  await jobs.accepted('m1', job.id, { waiting: false });
  if (m1 !== undefined) await goAway(m1);
  await setClock(60 * MINUTE);
  await pass(4 * MINUTE);
  t.deepEqual(sent, ['m1']);
  await setClock(-120 * MINUTE);
  await pass(MINUTE);
  t.deepEqual(sent, ['m1', 'm2']);
});

test('a master that has just started calls nobody unreachable because its clock is set on', async (t) => {
  const { store, begin, pass, setClock, startAnew } = await quietWorld(t);
  const job = await begin(['m1'], {});
  await pass(MINUTE);
  const from = ['unreachable'] as const;
  const queued = { state: 'queued', updatedAt: '2026-05-05T12:01:00.000Z' } as const;
  await store.jobs.moveTarget({ job: job.id, minion: 'm1', from }, queued);
  const anew = startAnew();
  const state = async () => (await store.jobs.targets(job.id))[0]?.state;
  await anew.resume();
  await setClock(60 * MINUTE);
  await anew.tick();
  t.is(await state(), 'queued');
  await pass(2 * MINUTE);
  await anew.tick();
  t.is(await state(), 'unreachable');
});

test('a minion has its five seconds to answer, whatever the clock says', async (t) => {
  const { jobs, store, arrive, begin, pass, setClock } = await quietWorld(t);
  await arrive('m1');
  const job = await begin(['m1'], {});
  const shown = async () => (await store.jobs.targets(job.id)).map(await jobs.waitsIn(job));
  await setClock(10 * MINUTE - 1);
  t.deepEqual(await shown(), [null]);
  await setClock(-20 * MINUTE);
  await pass(5_000);
  t.deepEqual(await shown(), ['sent at 2026-05-05T12:00:00.000Z; the minion does not answer']);
});

test('a batch goes on when the clock of the master is set back', async (t) => {
  const { store, sent, arrive, begin, pass, setClock } = await quietWorld(t);
  await Promise.all(['m1', 'm2'].map(arrive));
  const job = await begin(['m1', 'm2'], { batch: '1' });
  await pass(MINUTE);
  const from = ['queued'] as const;
  const change = { state: 'changed', updatedAt: '2026-05-05T12:02:00.000Z' } as const;
  await store.jobs.moveTarget({ job: job.id, minion: 'm1', from }, change);
  await setClock(-10 * 366 * 24 * 60 * MINUTE);
  t.deepEqual(sent, ['m1', 'm2']);
});

test('a minion that does not answer when it is sent a job is shown, and told to those who follow', async (t) => {
  const { jobs, store, arrive, goAway, begin, pass } = await quietWorld(t);
  const [m1] = await Promise.all(['m1', 'm2'].map(arrive));
  const job = await begin(['m1', 'm2'], {});
  const told: JobEvent[] = [];
  const stop = new AbortController();
  const following = (async () => {
    for await (const event of jobs.follow(job, stop.signal)) told.push(event);
  })();
  await jobs.accepted('m2', job.id, { waiting: false });
  const shown = async () => (await store.jobs.targets(job.id)).map(await jobs.waitsIn(job));
  await pass(4_000);
  t.deepEqual(await shown(), [null, null]);
  await pass(2_000);
  const words = 'sent at 2026-05-05T12:00:00.000Z; the minion does not answer';
  t.deepEqual(await shown(), [words, null]);
  await until(() => told.some((event) => 'waits' in event && event.waits === words));
  if (m1 !== undefined) await goAway(m1);
  const away = 'offline; gets it if it is back before 2026-05-05T12:10:00.000Z';
  t.deepEqual(await shown(), [away, null]);
  await until(() => told.some((event) => 'waits' in event && event.waits === away));
  stop.abort();
  await following;
});

test('a minion that fetches its part of the tree is shown to prepare, until its run begins', async (t) => {
  const { jobs, store, arrive, begin } = await quietWorld(t);
  await arrive('m1');
  const job = await begin(['m1'], {});
  const shown = async () => {
    const waitsFor = await jobs.waitsIn(job);
    return (await store.jobs.targets(job.id)).map((target) => [target.state, waitsFor(target)]);
  };
  await jobs.accepted('m1', job.id, { waiting: false });
  t.deepEqual(await shown(), [['delivered', null]]);
  const files = { fetched: 64, of: 300 };
  await jobs.progressed('m1', job.id, { event: 'preparing', files });
  const words = 'preparing: 64 of 300 files of its tree have come';
  t.deepEqual(await shown(), [['delivered', words]]);
  await jobs.progressed('m2', job.id, { event: 'preparing', files });
  await jobs.progressed('m1', job.id, { event: 'compiling' });
  t.deepEqual(await shown(), [['running', null]]);
  const started = { event: 'started', number: 1, total: 2, id: 'a', type: 'file.managed' } as const;
  await jobs.progressed('m1', job.id, started);
  await jobs.progressed('m1', job.id, { event: 'preparing', files });
  t.deepEqual(await shown(), [['running', null]]);
});

const spoiled = () => Promise.reject(new Error('the disk is full'));

test('a look at a job that the disk spoils is taken again', async (t) => {
  const { store, sent, arrive, begin, pass } = await quietWorld(t);
  await arrive('m1');
  const sound = { ...store.jobs };
  Object.assign(store.jobs, { moveTarget: spoiled });
  await t.throwsAsync(begin(['m1'], {}), { message: 'the disk is full' });
  Object.assign(store.jobs, sound);
  await pass(1_000);
  t.deepEqual(sent, ['m1']);
});

test('a run of a job that could wait for a month is given up as late as any other, also if it had to wait', async (t) => {
  const { store, jobs, arrive, begin, pass } = await quietWorld(t);
  await arrive('m1');
  const expiresAt = new Date(Date.parse('2026-05-05T12:00:00.000Z') + 30 * 24 * 60 * MINUTE);
  const job = await begin(['m1'], { expiresAt: expiresAt.toISOString() });
  await jobs.accepted('m1', job.id, { waiting: true });
  await jobs.progressed('m1', job.id, { event: 'compiling' });
  await pass(2 * 60 * MINUTE);
  await jobs.sweep();
  const [target] = await store.jobs.targets(job.id);
  t.is(target?.state, 'timeout');
});

test('who accepts a job that was cancelled meanwhile is told', async (t) => {
  const { store, jobs, arrive, begin } = await quietWorld(t);
  const told: string[] = [];
  const session = await arrive('m1');
  Object.assign(session, { send: ({ type }: { type: string }) => void told.push(type) });
  const job = await begin(['m1'], {});
  await store.jobs.cancel(job.id, '2026-05-05T12:00:00.000Z');
  await jobs.accepted('m1', job.id, { waiting: false });
  t.deepEqual(told, ['job', 'cancel']);
});
