import test from 'ava';
import { WebSocket } from 'ws';
import { ALL_AT_ONCE } from '../../master/jobs/rollout.ts';
import {
  acceptedMinion,
  outcome,
  report,
  runNext,
  statesOf,
  testMaster,
  testMinion,
  until,
} from './harness.ts';

test('a job runs, is told state by state, and ends with the exit code', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01', groups: ['web'] });
  const [options, { code, out }] = await Promise.all([
    runNext(minion),
    on.cli('apply', '-t', 'web', 'notes', '--set', 'who=me', '--timeout', '90s'),
  ]);
  t.is(code, 0);
  t.like(options, {
    dryRun: false,
    stateFiles: ['notes'],
    params: { who: 'me' },
    timeoutSeconds: 90,
  });
  t.regex(out[0] ?? '', new RegExp(`^job ${options.job}, revision [0-9a-f]{12}, 1 target$`, 'u'));
  t.regex(out[1] ?? '', /^[0-9-]{10}T[0-9:]{8}Z \* note\.present {2}hello {2}changed/u);
  t.regex(out[2] ?? '', /Z web-01 {2}changed {2}1 state: 1 changed/u);
  t.is(out.length, 3);
  t.deepEqual(await statesOf(on, options.job), { 'web-01': 'changed' });
});

test('what happens is streamed as JSON, one event a line', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const [options, { code, out }] = await Promise.all([
    runNext(minion, { status: 'failed', outcomes: [outcome('hello', { status: 'failed' })] }),
    on.cli('apply', '-t', 'web-01', '--dry-run', '--output', 'ndjson'),
  ]);
  t.is(code, 2);
  t.true(options.dryRun);
  const events = out.map((line) => JSON.parse(line));
  t.deepEqual(
    events.map(({ event, state, run }) => state ?? run?.event ?? event),
    ['job', 'queued', 'delivered', 'running', 'started', 'outcome', 'report', 'failed', 'done'],
  );
  t.is(events.at(-1).exitCode, 2);
});

test('a state file that the tree does not have is refused at once, and no job is made', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const { code, out, err } = await on.cli('apply', '-t', 'web-01', 'ntoes');
  t.deepEqual([code, out], [1, []]);
  t.regex(
    err.join('\n'),
    /Cannot apply "ntoes": the tree has no state file of that name, did you mean "notes"\?/u,
  );
  const path = await on.cli('apply', '-t', 'web-01', 'states/notes.yaml');
  t.regex(path.err.join('\n'), /of that name, write "notes"$/u);
  t.deepEqual((await on.cli('jobs', 'list')).out.length, 1, 'the head of the table');
});

test('unknown, empty and offline targets are three different answers', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01', groups: ['web'] });
  await minion.leave();
  await until(() => on.master.services.presence.get('web-01') === null);

  const unknown = await on.cli('apply', '-t', 'wbe-01');
  t.deepEqual([unknown.code, unknown.out], [1, []]);
  t.regex(
    unknown.err[0] ?? '',
    /no accepted minion or group fits "wbe-01", did you mean "web-01"\?/u,
  );
  t.is((await on.cli('apply', '-t', 'web or nothing-*')).code, 5);

  const empty = await on.cli('apply', '-t', 'web and facts.os:Plan9');
  t.deepEqual([empty.code, empty.out], [5, []]);
  t.regex(empty.err[0] ?? '', /matches none of the 1 accepted minions/u);

  const begun = Date.now();
  const offline = await on.cli('apply', '-t', 'web');
  t.true(Date.now() - begun < 1000);
  t.is(offline.code, 3);
  t.regex(offline.out[1] ?? '', /Z web-01 {2}unreachable: "web-01" is offline \(last seen /u);
  t.is((await on.cli('apply', '-t', 'web or')).code, 1);
});

test('an offline target does not keep the others from running', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await (await acceptedMinion(t, on, { id: 'web-02', seed: 2 })).leave();
  await until(() => on.master.services.presence.get('web-02') === null);
  const [options, { code, out }] = await Promise.all([
    runNext(minion),
    on.cli('apply', '-t', 'web-*', '--json'),
  ]);
  t.is(code, 3);
  const { targets, job, exitCode } = JSON.parse(out.join(''));
  t.is(exitCode, 3);
  t.is(job, options.job);
  t.like(targets, [
    { minion: 'web-01', state: 'changed', report: { status: 'changed' } },
    { minion: 'web-02', state: 'unreachable', error: { code: 'MINION_OFFLINE' }, report: null },
  ]);
});

test('a broken tree touches nobody: exit 4 with the whole text, and the last good one stays', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const before = on.master.services.publisher.newest();
  on.write({ 'states/notes.yaml': 'hello:\n  note.presnt:\n    text: hi\n' });
  const { code, out, err } = await on.cli('apply', '-t', 'web-01');
  t.deepEqual([code, out], [4, []]);
  t.regex(err[0] ?? '', /^error: states\/notes\.yaml:2:3: /u);
  t.regex(err.join('\n'), /note\.present/u);
  t.deepEqual(await on.master.services.store.jobs.list({ limit: 1 }), []);
  t.false(minion.received.some(({ type }) => type === 'job'));

  const status = await on.cli('status');
  t.regex(status.err.join('\n'), /the tree is broken since .*\nstates\/notes\.yaml:2:3/u);
  t.deepEqual(on.master.services.publisher.newest(), before);

  on.write({ 'states/notes.yaml': 'hello:\n  note.present:\n    text: hi\n' });
  const [options] = await Promise.all([runNext(minion), on.cli('apply', '-t', 'web-01')]);
  t.not(before, null);
  t.not(on.master.services.publisher.newest()?.revision, before?.revision);
  t.is(options.cause, 'job');
  t.is(on.master.services.publisher.broken(), null);
});

test('a run that the minion could not compile exits 4', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const error = { code: 'TREE_INVALID', message: 'states/notes.yaml:1:1: no\n  help: yes' };
  const [, { code, out }] = await Promise.all([
    runNext(minion, { status: 'failed', error, outcomes: [] }),
    on.cli('apply', '-t', 'web-01'),
  ]);
  t.is(code, 4);
  t.regex(out.join('\n'), /states\/notes\.yaml:1:1: no/u);
});

test('a detached job is told by its id, listed, shown and watched to its end', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const { out } = await on.cli('apply', '-t', 'web-01', '--detach');
  const job = out[0] ?? '';
  t.regex(job, /^[0-9a-f-]{36}$/u);
  t.regex((await on.cli('jobs', 'list')).out.join('\n'), new RegExp(`${job}.*1 queued`, 'u'));
  const [, watched] = await Promise.all([runNext(minion), on.cli('jobs', 'watch', job)]);
  t.is(watched.code, 0);
  t.regex(watched.out.join('\n'), /web-01 {2}changed/u);
  const again = await on.cli('jobs', 'watch', job.slice(0, 20));
  t.regex(again.out.join('\n'), /note\.present {2}hello {2}changed[\s\S]*web-01 {2}changed/u);
  t.regex((await on.cli('jobs', 'show', job)).out.join('\n'), /web-01\tchanged\tonline/u);
  t.is((await on.cli('jobs', 'show', 'nonsense')).code, 1);
});

test('a job that has ended shows each state that changed or failed, with its error and diff', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const error = { code: 'COMMAND_FAILED', message: 'it went wrong', output: 'the end of it' };
  const outcomes = [
    outcome('same', { status: 'unchanged' }),
    outcome('file', { change: { action: 'create', to: {} }, diff: '+a line\n' }),
    outcome('broken', { status: 'failed', error }),
  ];
  const [{ job }] = await Promise.all([
    runNext(minion, { status: 'failed', outcomes }),
    on.cli('apply', '-t', 'web-01'),
  ]);
  const { code, out } = await on.cli('jobs', 'show', job);
  t.is(code, 0);
  t.regex(
    out.join('\n'),
    /file {2}changed.*\n {4}\+a line\n! note\.present {2}broken {2}failed.*\n {4}error it went wrong \[COMMAND_FAILED\]\n {4}\| the end of it\nweb-01 {2}failed/u,
  );
  t.notRegex(out.join('\n'), /same/u);
  t.regex((await on.cli('jobs', 'show', job, '--verbose')).out.join('\n'), /same {2}unchanged/u);
  const [target] = JSON.parse((await on.cli('jobs', 'show', job, '--json')).out.join('')).targets;
  t.like(target, { minion: 'web-01', report: { job, outcomes: { length: 3 } } });
});

test('what a minion ran by itself is listed, shown and watched as a job is', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const refresh = '0198c2f1-0000-7000-8000-000000000001';
  const local = '0298c2f1-0000-7000-8000-000000000002';
  const error = { code: 'TREE_INVALID', message: 'no such file\nat all' };
  const partial = { outcomes: [], stateFiles: ['motd', 'nginx'] };
  for (const told of [
    report(refresh, 'web-01', { cause: 'refresh' }),
    report(local, 'web-01', { cause: 'local', status: 'failed', error, ...partial }),
  ]) {
    await minion.send({ type: 'report', report: told });
    await minion.next('report-stored');
  }
  const list = (await on.cli('jobs', 'list')).out.join('\n');
  t.regex(list, new RegExp(`${refresh}\t.*\tweb-01\trefresh\tapply\ttop file\t1 changed`, 'u'));
  t.regex(list, new RegExp(`${local}\t.*\tweb-01\tlocal\tapply\tmotd, nginx\t1 failed`, 'u'));
  const jobs = JSON.parse((await on.cli('jobs', 'list', '--kind', 'job', '--json')).out.join(''));
  t.deepEqual(jobs, { jobs: [], next: null });
  const local1 = (await on.cli('jobs', 'list', '--kind', 'local', '--limit', '1')).out.join('\n');
  t.true(local1.includes(local));
  t.false(local1.includes(refresh));

  const shown = (await on.cli('jobs', 'show', refresh.slice(0, 8))).out.join('\n');
  t.regex(shown, new RegExp(`^refresh ${refresh} of web-01\n`, 'u'));
  t.regex(shown, /note\.present {2}hello {2}changed.*\n.*web-01 {2}changed/u);
  const watched = await on.cli('jobs', 'watch', refresh);
  t.is(watched.code, 0);
  t.regex(watched.out.join('\n'), /note\.present {2}hello {2}changed.*\n.*web-01 {2}changed/u);
  const broken = await on.cli('jobs', 'watch', local);
  t.is(broken.code, 4);
  t.regex(broken.out.join('\n'), /no such file/u);
  const late = await on.cli('jobs', 'cancel', local);
  t.is(late.code, 1);
  t.regex(late.err.join('\n'), /Cannot cancel .*: it has ended/u);
  t.is((await on.cli('jobs', 'show', '0398c2f1')).code, 1);
});

test('a minion that is lost in the middle stays running, is told so, and its result comes later', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const applying = on.cli('apply', '-t', 'web-01');
  const { options } = await minion.next('job');
  const { job } = options;
  await minion.send({ type: 'job-accepted', job, waiting: false });
  await minion.send({ type: 'job-event', job, event: { event: 'compiling' } });
  await until(async () => (await statesOf(on, job))['web-01'] === 'running');
  await minion.leave();
  await until(() => on.master.services.presence.get('web-01') === null);
  t.deepEqual(await statesOf(on, job), { 'web-01': 'running' });
  t.regex((await on.cli('jobs', 'show', job)).out.join('\n'), /web-01\trunning\toffline/u);

  const back = await testMinion(t, on, { id: 'web-01' });
  await back.hello({ jobs: [job] });
  await back.send({ type: 'report', report: report(job, 'web-01') });
  const { code, out } = await applying;
  t.is(code, 0);
  t.regex(out.join('\n'), /running: The minion has disconnected; its result will come/u);
});

test('a restarted master still knows the job, sends it once more, and takes the report', async (t) => {
  const first = await testMaster(t);
  const minion = await acceptedMinion(t, first, { id: 'web-01' });
  const { out } = await first.cli('apply', '-t', 'web-01', '--detach');
  const job = out[0] ?? '';
  await minion.next('job');
  const second = await first.restart();
  t.deepEqual(await statesOf(second, job), { 'web-01': 'queued' });
  const back = await testMinion(t, second, { id: 'web-01' });
  await back.hello();
  const [options, watched] = await Promise.all([runNext(back), second.cli('jobs', 'watch', job)]);
  t.is(options.job, job);
  t.is(watched.code, 0);
});

test('after a restart those who were there before are awaited, and nobody else', async (t) => {
  const first = await testMaster(t);
  await acceptedMinion(t, first, { id: 'web-01' });
  const away = await acceptedMinion(t, first, { id: 'web-02', seed: 2 });
  await away.leave();
  await until(() => first.master.services.presence.get('web-02') === null);
  const on = await first.restart();
  const { out } = await on.cli('apply', '-t', '*', '--detach');
  const job = out[0] ?? '';
  t.deepEqual(await statesOf(on, job), { 'web-01': 'queued', 'web-02': 'unreachable' });
  const back = await testMinion(t, on, { id: 'web-01' });
  await back.hello();
  await runNext(back);
  t.deepEqual(await statesOf(on, job), { 'web-01': 'changed', 'web-02': 'unreachable' });
  await back.leave();
  await until(() => on.master.services.presence.get('web-01') === null);
  const { code } = await on.cli('apply', '-t', 'web-01');
  t.is(code, 3, 'it has been back');
});

test('a master that stops leaves nobody waiting: who follows a job is told, and exits 3', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const applying = on.cli('apply', '-t', 'web-01');
  await minion.next('job');
  const idle = new WebSocket(`ws://127.0.0.1:${on.master.port}/minion`);
  await new Promise((resolve) => idle.once('open', resolve));
  const begun = Date.now();
  await on.master.stop();
  t.true(Date.now() - begun < 2000);
  const { code, err } = await applying;
  t.is(code, 3);
  t.regex(err.join('\n'), /follow it: {2}master jobs watch [\s\S]*error: Cannot follow the job/u);
});

test('a job that the minion has accepted is not sent again, and one that it lost is interrupted', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const ids: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    await on.cli('apply', '-t', 'web-01', '--detach');
    const { options } = await minion.next('job');
    ids.push(options.job);
    await minion.send({ type: 'job-accepted', job: options.job, waiting: count > 0 });
  }
  const [kept = '', lost = ''] = ids;
  await until(async () => (await statesOf(on, lost))['web-01'] === 'delivered');
  await minion.leave();
  const back = await testMinion(t, on, { id: 'web-01' });
  await back.hello({ jobs: [kept] });
  await until(async () => (await statesOf(on, lost))['web-01'] === 'interrupted');
  t.deepEqual(await statesOf(on, kept), { 'web-01': 'delivered' });
  t.false(back.received.some(({ type }) => type === 'job'));
});

test('a cancelled job never starts where it was not accepted, and is asked to end where it was', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const other = await acceptedMinion(t, on, { id: 'web-02', seed: 2 });
  const { out } = await on.cli('apply', '-t', 'web-*', '--detach');
  const job = out[0] ?? '';
  await minion.next('job');
  await minion.send({ type: 'job-accepted', job, waiting: false });
  await until(async () => (await statesOf(on, job))['web-01'] === 'delivered');
  await on.cli('jobs', 'cancel', job);
  t.is((await minion.next('cancel')).job, job);
  t.is((await other.next('cancel')).job, job);
  t.deepEqual(await statesOf(on, job), { 'web-01': 'delivered', 'web-02': 'cancelled' });
  await minion.send({ type: 'report', report: report(job, 'web-01', { status: 'cancelled' }) });
  t.is((await on.cli('jobs', 'watch', job)).code, 3);
});

test('what is overdue is given up, and a report that comes all the same is believed', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const { store, jobs } = on.master.services;
  const job = {
    id: '01900000-0000-7000-8000-000000000000',
    createdAt: '2020-01-01T00:00:00.000Z',
    target: 'web-01',
    stateFiles: [],
    params: {},
    dryRun: false,
    timeoutSeconds: 1,
    revision: 'a'.repeat(64),
    rollout: ALL_AT_ONCE,
    cancelledAt: null,
    retryOf: null,
  };
  const target = {
    job: job.id,
    minion: 'web-01',
    state: 'queued',
    updatedAt: job.createdAt,
    counts: null,
    error: null,
    expiresAt: '2020-01-01T00:00:01.000Z',
    deadline: '2020-01-01T00:00:02.000Z',
  } as const;
  await store.jobs.create(job, [target]);
  await jobs.sweep();
  t.deepEqual(await statesOf(on, job.id), { 'web-01': 'expired' });
  await minion.send({ type: 'report', report: report(job.id, 'web-01') });
  await minion.next('report-stored');
  t.deepEqual(await statesOf(on, job.id), { 'web-01': 'changed' });
});

test('the status of a minion tells what it did last and what it does now', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01', groups: ['web'] });
  await minion.send({ type: 'schedule', nextRefresh: '2030-01-01T00:00:00.000Z' });
  await Promise.all([runNext(minion, { owed: ['x'] }), on.cli('apply', '-t', 'web')]);
  await on.cli('apply', '-t', 'web', '-d');
  const { options } = await minion.next('job');
  await minion.send({ type: 'job-accepted', job: options.job, waiting: false });
  const event = {
    event: 'started',
    number: 3,
    total: 9,
    id: 'nginx',
    type: 'pkg.installed',
  } as const;
  await minion.send({ type: 'job-event', job: options.job, event });
  await until(() => on.master.services.jobs.progressOf(options.job, 'web-01') !== null);
  const [status] = JSON.parse((await on.cli('status', '--json')).out.join('')).minions;
  t.like(status, {
    id: 'web-01',
    groups: ['web'],
    online: true,
    version: '0.1.0',
    nextRefresh: '2030-01-01T00:00:00.000Z',
    lastRun: { status: 'changed', owed: 1 },
    running: [
      { job: options.job, state: 'running', number: 3, total: 9, current: 'pkg.installed nginx' },
    ],
  });
  const shown = await on.cli('jobs', 'show', options.job);
  t.regex(shown.out.join('\n'), /web-01\trunning\tonline\t.*\t3\/9 pkg\.installed nginx$/u);
  const { out } = await on.cli('status');
  t.regex(out[0] ?? '', /^MINION\tIS\tSINCE\t/u);
  t.regex(
    out[1] ?? '',
    /^web-01\tonline\t.*\trunning 3\/9 pkg\.installed nginx; last: changed \(/u,
  );
});

test('the status tells the last run of the whole tree apart from one of some state files', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const row = async () => (await on.cli('status')).out[1]?.split('\t') ?? [];
  await Promise.all([runNext(minion), on.cli('apply', '-t', 'web-01', 'notes')]);
  const counts = String.raw`\(1 state: 1 changed\)`;
  const only = String.raw`then only notes: changed ${counts}, 2026-01-01T00:00:01\.000Z$`;
  const [, , , at, result = '', revision] = await row();
  t.deepEqual([at, revision], ['-', '-']);
  t.regex(result, new RegExp(`^${only}`, 'u'));

  await Promise.all([runNext(minion, { status: 'failed' }), on.cli('apply', '-t', 'web-01')]);
  t.regex((await row())[4] ?? '', new RegExp(`^failed ${counts}$`, 'u'));
  t.is((await row())[5], 'a'.repeat(12));

  const dry = on.cli('apply', '-t', 'web-01', '--dry-run');
  await Promise.all([runNext(minion, { dryRun: true, status: 'ok' }), dry]);
  await Promise.all([runNext(minion), on.cli('apply', '-t', 'web-01', 'notes')]);
  t.regex((await row())[4] ?? '', new RegExp(`^failed ${counts}; ${only}`, 'u'));
  const [status] = JSON.parse((await on.cli('status', '--json')).out.join('')).minions;
  t.like(status, { lastRun: { status: 'failed' }, lastPartialRun: { status: 'changed' } });
  t.deepEqual(status.lastPartialRun.stateFiles, ['notes']);
});

test('nothing that a minion says can act on the terminal', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await minion.send({ type: 'facts', facts: { os: 'x\u001b[2Jy', kernel: 'a\u202eb' } });
  const [, { out }] = await Promise.all([
    runNext(minion, { outcomes: [outcome('a\u001b]0;owned\u0007\u202e')] }),
    on.cli('apply', '-t', 'web-01'),
  ]);
  const facts = await on.cli('facts', 'web-01');
  t.regex(out.join(), /\\x1b/u);
  t.false([...out, ...facts.out].some((line) => /\p{Cc}|\u202e/u.test(line)));
});
