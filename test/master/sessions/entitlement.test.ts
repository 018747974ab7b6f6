import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ALL_AT_ONCE } from '../../../master/jobs/rollout.ts';
import {
  acceptedMinion,
  report,
  runNext,
  testMaster,
  testMinion,
  until,
  type TestMaster,
  type TestMinion,
} from '../harness.ts';

const TREE = {
  'states/top.yaml': 'base:\n  web: [web]\n  db: [db]\n',
  'states/web.yaml': 'include: [.base]\nserver:\n  note.present: {}\n',
  'states/base.yaml': 'common:\n  note.present: {}\n',
  'states/db.yaml': 'secret plan:\n  note.present: {}\n',
  'states/tool.yaml': 'include: [.part]\ntool:\n  note.present: {}\n',
  'states/part.yaml': 'part of it:\n  note.present: {}\n',
};

/** Speaks as a minion that asks for whatever it likes: the paths that it is given, or why it is refused. */
async function ask(minion: TestMinion, stateFiles: string[], revision: string | null = null) {
  const request = minion.received.length;
  const have = { share: null, pillar: null };
  await minion.send({ type: 'prepare', request, revision, have, stateFiles });
  const isAnswer = (message: { type: string; request?: number }) =>
    ['prepared', 'refused'].includes(message.type) && message.request === request;
  await until(() => minion.received.some(isAnswer));
  const answer = minion.received.find(isAnswer);
  if (answer?.type === 'refused') return answer.error;
  return answer?.type === 'prepared' ? (answer.manifest ?? []).map(({ path }) => path) : [];
}

async function webMinion(t: ExecutionContext) {
  const on = await testMaster(t, TREE);
  const minion = await acceptedMinion(t, on, { id: 'm-01', groups: ['web'] });
  return { on, minion };
}

async function give(on: TestMaster, minion: string, stateFiles: string[]) {
  const { jobs, publisher } = on.master.services;
  const job = await jobs.create({
    target: minion,
    minions: [minion],
    revision: (await publisher.current()).revision,
    stateFiles,
    params: {},
    dryRun: false,
    timeoutSeconds: 60,
    rollout: ALL_AT_ONCE,
    retryOf: null,
  });
  await jobs.deliver(job);
  return job;
}

const refused = (name: string) => ({
  code: 'PERMISSION_DENIED',
  message: `Cannot prepare "m-01" for the state file "${name}": neither the top file nor a job under way gives it to this minion; apply it from the master`,
});

test('a minion gets what its top file gives it, and is not told what else there is', async (t) => {
  const { on, minion } = await webMinion(t);
  const own = ['states/base.yaml', 'states/top.yaml', 'states/web.yaml'];
  t.deepEqual(await ask(minion, []), own);
  t.deepEqual(await ask(minion, ['web']), own);
  t.deepEqual(await ask(minion, ['base']), ['states/base.yaml', 'states/top.yaml']);
  for (const name of ['db', 'tool', 'nowhere', 'states/db.yaml', '../db', ''])
    t.deepEqual(await ask(minion, [name]), refused(name));
  t.deepEqual(await ask(minion, ['web', 'db']), refused('db'));

  const tree = await on.master.services.publisher.tree(
    (await on.master.services.publisher.current()).revision,
  );
  const foreign = tree.manifest.find(({ path }) => path === 'states/db.yaml')?.sha256 ?? '';
  const request = 999;
  await minion.send({ type: 'blobs', request, sha256: [foreign] });
  const isAnswer = (each: object) => 'request' in each && each.request === request;
  await until(() => minion.received.some(isAnswer));
  t.is(minion.received.find(isAnswer)?.type, 'refused');
});

test('a job gives its state files, at its revision, to its minion alone and until it is reported', async (t) => {
  const { on, minion } = await webMinion(t);
  const other = await acceptedMinion(t, on, { id: 'm-02', seed: 44 });
  const { revision } = await give(on, 'm-01', ['tool', 'typo']);
  const tool = ['states/part.yaml', 'states/tool.yaml', 'states/top.yaml'];
  t.deepEqual(await ask(minion, ['tool', 'typo'], revision), tool);
  t.deepEqual(await ask(minion, ['db'], revision), refused('db'));
  t.like(await ask(other, ['tool'], revision), { code: 'PERMISSION_DENIED' });

  on.write({ 'states/tool.yaml': 'another tool:\n  note.present: {}\n' });
  await on.master.services.publisher.refresh();
  t.deepEqual(await ask(minion, ['tool']), refused('tool'));
  t.deepEqual(await ask(minion, ['tool', 'typo'], revision), tool);

  await runNext(minion);
  t.deepEqual(await ask(minion, ['tool'], revision), refused('tool'));
});

test('a run is prepared again after a kill of the master, and when it has been given up there', async (t) => {
  const { on, minion } = await webMinion(t);
  const { id, revision } = await give(on, 'm-01', ['tool']);
  const again = await on.restart();
  await minion.ended;
  const back = await testMinion(t, again, { id: 'm-01' });
  await back.hello({ jobs: [id] });
  await until(async () => {
    const [target] = await again.master.services.store.jobs.targets(id);
    return target?.state === 'delivered';
  });
  const isGiven = async () => Array.isArray(await ask(back, ['tool'], revision));
  t.true(await isGiven());

  for (const state of ['timeout', 'interrupted', 'expired'] as const) {
    const from = ['delivered', 'timeout', 'interrupted'] as const;
    const updatedAt = new Date().toISOString();
    const at = { job: id, minion: 'm-01', from };
    await again.master.services.store.jobs.moveTarget(at, { state, updatedAt });
    t.true(await isGiven(), state);
  }
  await back.send({ type: 'report', report: report(id, 'm-01', { status: 'timeout' }) });
  await back.next('report-stored');
  t.false(await isGiven());
});
