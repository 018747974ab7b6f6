import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  commandLine,
  acceptedMinion,
  report,
  runNext,
  statesOf,
  testMaster,
  until,
} from './harness.ts';

const ids = (out: readonly string[]): string[] =>
  out.slice(1).map((line) => line.split('\t')[0] ?? '');

test('jobs are listed by minion, target, state and time, page by page', async (t) => {
  const on = await testMaster(t);
  const web = await acceptedMinion(t, on, { id: 'web', groups: ['app'] });
  const db = await acceptedMinion(t, on, { id: 'db', seed: 2 });
  const made: string[] = [];
  for (const [minion, status] of [
    [web, 'changed'],
    [db, 'failed'],
    [web, 'failed'],
  ] as const) {
    const applied = on.cli('apply', '-t', minion.id);
    made.unshift((await runNext(minion, { status })).job);
    await applied;
  }
  const [failedWeb = '', failedDb = '', changedWeb = ''] = made;
  const refresh = '0198c2f1-0000-7000-8000-000000000001';
  const startedAt = '2025-01-01T00:00:00.000Z';
  await web.send({
    type: 'report',
    report: report(refresh, 'web', { cause: 'refresh', startedAt }),
  });
  await web.next('report-stored');
  const list = async (...flags: string[]) => ids((await on.cli('jobs', 'list', ...flags)).out);

  t.deepEqual(await list(), [...made, refresh]);
  t.deepEqual(await list('--minion', 'db'), [failedDb]);
  t.deepEqual(await list('--target', 'app'), [failedWeb, changedWeb, refresh]);
  t.deepEqual(await list('--target', 'app', '--minion', 'db'), []);
  t.deepEqual(await list('--status', 'failed'), [failedWeb, failedDb]);
  const nobody = await on.cli('jobs', 'list', '--minion', 'wbe');
  t.is(nobody.code, 0, 'it may be gone');
  t.deepEqual(nobody.err, ['no minion has the id "wbe", did you mean "web"?']);
  t.deepEqual(await list('--status', 'failed', '--minion', 'web'), [failedWeb]);
  t.deepEqual(await list('--status', 'changed'), [changedWeb, refresh]);
  t.deepEqual(await list('--status', 'unfinished'), []);
  t.deepEqual(await list('--since', '1d'), made);
  t.deepEqual(await list('--kind', 'refresh', '--since', '2024-12-31'), [refresh]);

  const first = await on.cli('jobs', 'list', '--limit', '2');
  t.deepEqual(ids(first.out), [failedWeb, failedDb]);
  t.is(first.err.join(), `there are older ones: --before ${failedDb}`);
  const second = await on.cli('jobs', 'list', '--limit', '2', '--before', failedDb);
  t.deepEqual(ids(second.out), [changedWeb, refresh]);
  t.deepEqual(second.err, []);
  t.is((await on.cli('jobs', 'list', '--before', 'nonsense')).code, 1);
  t.regex(
    (await on.cli('jobs', 'list', '--since', 'noon')).err.join(),
    /--since "noon": write 2h/u,
  );
});

test('a retry is a new job, the same again, for what has not succeeded', async (t) => {
  const on = await testMaster(t);
  const [a, b] = [
    await acceptedMinion(t, on, { id: 'a1', seed: 1 }),
    await acceptedMinion(t, on, { id: 'a2', seed: 2 }),
  ];
  const flags = ['notes', '--set', 'who=me', '--timeout', '90s', '--dry-run', '--expires', '+1h'];
  const applying = on.cli('apply', '-t', 'a*', ...flags, '--batch', '1', '--max-failures', '50%');
  const { job } = await runNext(a, { status: 'failed' });
  await applying;
  t.deepEqual(await statesOf(on, job), { a1: 'failed', a2: 'cancelled' });

  const [again, { code, out }] = await Promise.all([runNext(a), on.cli('jobs', 'retry', job)]);
  t.is(code, 0);
  t.is(out[0]?.split(/[ ,]/u)[1], again.job);
  const { stateFiles, params, timeoutSeconds, dryRun } = again;
  t.deepEqual(
    { stateFiles, params, timeoutSeconds, dryRun },
    { stateFiles: ['notes'], params: { who: 'me' }, timeoutSeconds: 90, dryRun: true },
  );
  t.deepEqual(await statesOf(on, again.job), { a1: 'changed' });
  const shown = JSON.parse((await on.cli('jobs', 'show', again.job, '--json')).out.join(''));
  t.like(shown, { retryOf: job, rollout: { batch: '1', maxFailures: '50%' } });
  t.true(Date.parse(shown.rollout.expiresAt) > Date.now());
  const [, made = ''] = (await on.cli('jobs', 'show', again.job)).out;
  t.regex(made, new RegExp(`, retry of ${job}, batch 1, max failures 50%, expires 20[^,]*$`, 'u'));

  const none = await on.cli('jobs', 'retry', again.job);
  t.is(none.code, 5);
  t.regex(none.err.join(), /none of its targets has failed$/u);
  const { out: rest } = await on.cli('jobs', 'retry', job, '--cancelled', '--detach');
  await Promise.all([runNext(a), runNext(b)]);
  await until(async () => (await statesOf(on, rest[0] ?? ''))['a2'] === 'changed');
  t.deepEqual(await statesOf(on, rest[0] ?? ''), { a1: 'changed', a2: 'changed' });

  const own = '0198c2f1-0000-7000-8000-000000000009';
  await a.send({
    type: 'report',
    report: report(own, 'a1', { cause: 'refresh', status: 'failed' }),
  });
  await a.next('report-stored');
  t.regex((await on.cli('jobs', 'retry', own)).err.join(), /"a1" did it by itself/u);
});

test('Ctrl-C leaves a job alone and says how to follow it; a second one cancels it', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  for (const presses of [1, 2]) {
    const { interrupt, ended } = applyWithInterrupts(on.directory);
    const { options } = await minion.next('job');
    await minion.send({ type: 'job-accepted', job: options.job, waiting: false });
    await until(async () => (await statesOf(on, options.job))['web-01'] === 'delivered');
    interrupt();
    if (presses > 1) await until(() => ended.err.some((line) => line.includes('Ctrl-C again')));
    if (presses > 1) interrupt();
    const { code, err } = await ended.result;
    t.is(code, 130);
    t.true(
      err.includes(
        `  follow it:  master jobs watch ${options.job} --socket ${on.directory}/master.sock`,
      ),
    );
    const job = await on.master.services.store.jobs.get(options.job);
    t.is(job?.cancelledAt !== null, presses > 1);
    t.is(
      err.some((line) => line.startsWith('The job is cancelled')),
      presses > 1,
    );
    await minion.send({ type: 'report', report: report(options.job, 'web-01') });
    await minion.next('report-stored');
  }
});

test('Ctrl-C before there is an answer says where to look', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-silent-'));
  const silent = createServer((socket) => socket.resume());
  const asked = once(silent, 'connection');
  silent.listen(join(directory, 'master.sock'));
  t.teardown(() => {
    silent.close();
    rmSync(directory, { recursive: true });
  });
  const { interrupt, ended } = applyWithInterrupts(directory);
  await asked;
  interrupt();
  const { code, err } = await ended.result;
  t.is(code, 130);
  t.deepEqual(err, ['The master may have made the job already: see "master jobs list".']);
});

function applyWithInterrupts(directory: string) {
  const err: string[] = [];
  const keyboard: { press: (() => void) | null } = { press: null };
  const result = commandLine(['apply', '-t', 'web-01'], {
    directory,
    isTerminal: true,
    err,
    onFollow: (interrupt) => {
      keyboard.press = interrupt;
    },
  });
  return { interrupt: () => keyboard.press?.(), ended: { err, result } };
}

test('a job is found by the beginning of its id, however many are newer', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const made = await on.cli('apply', '-t', 'web-01', '--detach');
  const id = made.out[0] ?? '';
  const { store } = on.master.services;
  const [old] = await store.jobs.list({ limit: 1 });
  if (old === undefined) throw new Error('no job was made');
  const ancient = {
    ...old,
    id: `0${'1'.repeat(7)}${id.slice(8)}`,
    createdAt: '2020-01-01T00:00:00.000Z',
  };
  await store.jobs.create(ancient, []);
  for (let count = 0; count < 1_001; count += 1) {
    const number = String(count).padStart(4, '0');
    await store.jobs.create({ ...old, id: `${id.slice(0, -4)}${number}` }, []);
  }
  t.is((await on.cli('jobs', 'show', '01111111')).code, 0);
  t.regex(
    (await on.cli('jobs', 'show', id.slice(0, 12))).err.join(),
    /more than one job begins so/u,
  );
});

test('what two minions report of a job that nobody here knows is found by its id', async (t) => {
  const on = await testMaster(t);
  const own = '0198c2f1-0000-7000-8000-000000000009';
  for (const id of ['a1', 'a2'])
    await on.master.services.store.reports.add(report(own, id, { cause: 'refresh' }), own);
  t.is((await on.cli('jobs', 'show', own)).code, 0);
  t.is((await on.cli('jobs', 'list', '--before', own)).code, 0);
});

test('a job that is watched is printed as asked', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const [, { out }] = await Promise.all([
    runNext(minion),
    on.cli('apply', '-t', 'web-01', '--json'),
  ]);
  const { job } = JSON.parse(out.join(''));
  const watched = await on.cli('jobs', 'watch', job, '--json');
  t.deepEqual(JSON.parse(watched.out.join('')), JSON.parse(out.join('')));
  const lines = await on.cli('jobs', 'watch', job, '--output', 'ndjson');
  t.deepEqual(
    [lines.out[0], lines.out.at(-1)].map((line) => JSON.parse(line ?? '').event),
    ['job', 'done'],
  );
});

test('an id as long as ids may be is no trouble; what is longer is refused in a line', async (t) => {
  const on = await testMaster(t);
  const id = `a${'b'.repeat(127)}`;
  const minion = await acceptedMinion(t, on, { id });
  await minion.hello();
  t.is((await on.cli('facts', id)).code, 0);
  t.is((await on.cli('keys', 'reject', id)).code, 0);
  const { code, err } = await on.cli('jobs', 'show', 'x'.repeat(600));
  t.deepEqual([code, err.length], [1, 1]);
});

test('what a pause says is one line of the status', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const why = 'upgrade\nalarm, now: "web-07" has put a file aside';
  const asked = await on.cli('pause', '--for', '2h', '--why', why, '--target', 'web-01');
  t.deepEqual([asked.code, asked.err.length], [1, 1]);
  const pause = {
    since: '2026-01-01T00:00:00Z',
    until: '2999-01-01T00:00:00Z',
    why,
    by: 'minion',
  } as const;
  await on.master.services.store.intentions.note('web-01', { pause });
  const { err } = await on.cli('status');
  t.is(err.filter((line) => line.startsWith('alarm')).length, 0);
  t.is(err.filter((line) => line.startsWith('paused: web-01')).length, 1);
});
