import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { sql } from 'kysely';
import type { Report } from '../../../protocol/report.ts';
import { countOutcomes } from '../../../protocol/report.ts';
import { uuidv7 } from '../../../shared/uuid.ts';
import { ALL_AT_ONCE } from '../../../master/jobs/rollout.ts';
import { judge } from '../../../master/sessions/enrolment.ts';
import { openDatabase } from '../../../master/store/sqlite/database.ts';
import { minionStore } from '../../../master/store/sqlite/minions.ts';
import { openSqliteStore } from '../../../master/store/sqlite/sqlite-store.ts';
import type {
  Claim,
  Invitation,
  Job,
  JobTarget,
  Minion,
  Store,
} from '../../../master/store/store.ts';

const NOW = '2026-01-02T00:00:00.000Z';
const LATER = '2026-01-03T00:00:00.000Z';
const REVISION = 'a'.repeat(64);

const open = () => openSqliteStore(':memory:');

function minion(id: string, more: Partial<Minion> = {}): Minion {
  return {
    id,
    publicKey: `key-of-${id}`,
    state: 'accepted',
    generation: 1,
    groups: [],
    createdAt: NOW,
    acceptedAt: NOW,
    acceptedBy: 'operator',
    address: '10.0.0.1',
    seenAt: NOW,
    version: null,
    nextRefresh: null,
    ...more,
  };
}

function invitation(more: Partial<Invitation> = {}): Invitation {
  return {
    tid: '00'.repeat(16),
    secretHash: '11'.repeat(32),
    idGlob: '*',
    groups: ['appserver'],
    createdAt: NOW,
    expiresAt: LATER,
    usedBy: null,
    ...more,
  };
}

function claim(id: string, more: Partial<Claim> = {}): Claim {
  const at = { address: '10.0.0.1', invitation: null, at: NOW };
  return { id, publicKey: `key-of-${id}`, ...at, ...more };
}

function job(more: Partial<Job> = {}): Job {
  return {
    id: uuidv7(),
    createdAt: NOW,
    target: 'web-01',
    stateFiles: [],
    params: { a: 1 },
    dryRun: false,
    timeoutSeconds: 60,
    revision: REVISION,
    rollout: ALL_AT_ONCE,
    cancelledAt: null,
    retryOf: null,
    ...more,
  };
}

function target(of: Job, id: string, more: Partial<JobTarget> = {}): JobTarget {
  const rest = { updatedAt: NOW, counts: null, error: null, expiresAt: LATER, deadline: LATER };
  return { job: of.id, minion: id, state: 'queued', ...rest, ...more };
}

function report(of: string, id: string, more: Partial<Report> = {}): Report {
  return {
    job: of,
    minion: id,
    cause: 'job',
    revision: REVISION,
    dryRun: false,
    status: 'changed',
    startedAt: NOW,
    endedAt: NOW,
    counts: countOutcomes([]),
    outcomes: [],
    owed: [],
    ...more,
  };
}

const knowing = { knowsSecret: () => true };
const enrol = (store: Store, of: Claim, proof = knowing) =>
  store.minions.enrol(of, (known) => judge(of, known, proof));

test('who is accepted already and comes with its own key waits for no commit, anybody else does', async (t) => {
  const database = await openDatabase(':memory:');
  t.teardown(() => database.destroy());
  const states = ['accepted', 'rejected', 'pending'] as const;
  let commits = 0;
  const minions = minionStore(database, async (work) => {
    commits += 1;
    return work(database);
  });
  for (const state of states) await minions.add(minion(state, { state }));
  const verdictOn = async (of: Claim): Promise<readonly [string, number]> => {
    const before = commits;
    const { judgement } = await minions.enrol(of, (known) => judge(of, known, knowing));
    return [judgement.verdict, commits - before];
  };
  t.deepEqual(await verdictOn(claim('accepted')), ['accepted', 0]);
  t.deepEqual(await verdictOn(claim('accepted', { publicKey: 'key-of-thief' })), ['denied', 1]);
  t.deepEqual(await verdictOn(claim('rejected')), ['rejected', 1]);
  t.deepEqual(await verdictOn(claim('pending')), ['pending', 1]);
  t.deepEqual(await verdictOn(claim('stranger')), ['pending', 1]);
});

test('a stranger without a join string waits, once, until it is accepted', async (t) => {
  const store = await open();
  t.is((await enrol(store, claim('web-01'))).judgement.verdict, 'pending');
  t.is((await enrol(store, claim('web-01'))).judgement.verdict, 'pending');
  t.deepEqual(
    (await store.minions.list()).map(({ id, state }) => [id, state]),
    [['web-01', 'pending']],
  );
  const another = { publicKey: 'f'.repeat(64), state: 'accepted' } as const;
  t.is(await store.minions.change('web-01', another), null);
  await store.minions.change('web-01', { state: 'accepted', groups: ['web'], acceptedBy: 'me' });
  const { judgement, minion: row } = await enrol(store, claim('web-01'));
  t.is(judgement.verdict, 'accepted');
  t.deepEqual(row?.groups, ['web']);
  t.is(row?.generation, 2);
});

test('another key for a known id is denied, whatever it shows', async (t) => {
  const store = await open();
  await store.invitations.add(invitation());
  await store.minions.add(minion('web-01'));
  await store.minions.add(minion('web-02', { state: 'pending' }));
  for (const id of ['web-01', 'web-02'])
    for (const shown of [null, invitation().tid]) {
      const thief = claim(id, { publicKey: 'thief', invitation: shown });
      t.is((await enrol(store, thief)).judgement.verdict, 'denied');
    }
  t.is((await store.minions.get('web-01'))?.publicKey, 'key-of-web-01');
  t.is((await store.invitations.get(invitation().tid))?.usedBy, null);
});

test('a key that stands under another id is denied', async (t) => {
  const store = await open();
  await store.minions.add(minion('web-01'));
  const { judgement } = await enrol(store, claim('web-09', { publicKey: 'key-of-web-01' }));
  t.is(judgement.verdict, 'denied');
});

test('a valid invitation is used up and the key accepted with its groups', async (t) => {
  const store = await open();
  await store.invitations.add(invitation({ idGlob: 'web-*' }));
  const first = await enrol(store, claim('web-01', { invitation: invitation().tid }));
  t.is(first.judgement.verdict, 'accepted');
  t.deepEqual(first.minion?.groups, ['appserver']);
  t.is((await store.invitations.get(invitation().tid))?.usedBy, 'web-01');

  const second = await enrol(store, claim('web-02', { invitation: invitation().tid }));
  t.is(second.judgement.verdict, 'denied');
  t.is(await store.minions.get('web-02'), null);
});

test('two claims at once cannot both use one invitation', async (t) => {
  const store = await open();
  await store.invitations.add(invitation());
  const ids = ['a1', 'a2', 'a3', 'a4'];
  const all = await Promise.all(
    ids.map((id) => enrol(store, claim(id, { invitation: invitation().tid }))),
  );
  t.is(all.filter(({ judgement }) => judgement.verdict === 'accepted').length, 1);
  t.is((await store.minions.list()).length, 1);
});

test('an unknown, unproved, expired or foreign invitation is denied and writes nothing', async (t) => {
  const store = await open();
  await store.invitations.add(invitation({ idGlob: 'db-*', expiresAt: LATER }));
  const { tid } = invitation();
  const refused = [
    await enrol(store, claim('db-01', { invitation: 'ff'.repeat(16) })),
    await enrol(store, claim('db-01', { invitation: tid }), { knowsSecret: () => false }),
    await enrol(store, claim('db-01', { invitation: tid, at: LATER })),
    await enrol(store, claim('web-01', { invitation: tid })),
  ];
  t.deepEqual(
    refused.map(({ judgement }) => judgement.verdict),
    ['denied', 'denied', 'denied', 'denied'],
  );
  t.deepEqual(await store.minions.list(), []);
});

test('a pending key that proves an invitation is accepted', async (t) => {
  const store = await open();
  await enrol(store, claim('web-01'));
  await store.invitations.add(invitation());
  const { judgement, minion: row } = await enrol(
    store,
    claim('web-01', { invitation: invitation().tid }),
  );
  t.is(judgement.verdict, 'accepted');
  t.is(row?.state, 'accepted');
  t.is(row?.generation, 2);
});

test('a rejected or revoked key stays so', async (t) => {
  const store = await open();
  await store.invitations.add(invitation());
  await store.minions.add(minion('a1', { state: 'rejected' }));
  await store.minions.add(minion('a2', { state: 'revoked' }));
  for (const id of ['a1', 'a2'])
    for (const shown of [null, invitation().tid])
      t.is((await enrol(store, claim(id, { invitation: shown }))).judgement.verdict, 'rejected');
});

test('pending keys are bounded by address and altogether, and forgotten after a time', async (t) => {
  const store = await open();
  const from = (n: number, address: string) =>
    enrol(store, claim(`m${n}`, { publicKey: `k${n}`, address }));
  for (let n = 0; n < 10; n += 1) t.is((await from(n, 'a')).judgement.verdict, 'pending');
  t.is((await from(10, 'a')).judgement.verdict, 'denied');
  for (let n = 10; n < 1000; n += 1) await from(n, `address ${n}`);
  t.is((await from(1000, 'b')).judgement.verdict, 'denied');
  t.is((await store.minions.removePending(LATER)).length, 1000);
  t.is((await from(1000, 'b')).judgement.verdict, 'pending');
});

test('an id or a key is added once', async (t) => {
  const store = await open();
  await store.minions.add(minion('web-01'));
  for (const again of [
    minion('web-01', { publicKey: 'x' }),
    minion('web-02', { publicKey: 'key-of-web-01' }),
  ])
    await t.throwsAsync(store.minions.add(again), { message: /"web-01" is known already/u });
});

test('removing a minion forgets its facts', async (t) => {
  const store = await open();
  await store.minions.add(minion('web-01'));
  await store.minions.setFacts('web-01', { os: 'Debian' }, NOW);
  await store.minions.setFacts('web-01', { os: 'Debian', cpus: 2 }, LATER);
  t.deepEqual(await store.minions.facts('web-01'), {
    facts: { os: 'Debian', cpus: 2 },
    updatedAt: LATER,
  });
  t.true(await store.minions.remove('web-01'));
  t.false(await store.minions.remove('web-01'));
  t.is(await store.minions.facts('web-01'), null);
  t.is(await store.minions.change('web-01', { state: 'accepted' }), null);
});

test('notes only what is said of a minion', async (t) => {
  const store = await open();
  await store.minions.add(minion('web-01'));
  await store.minions.note('web-01', { version: '1', nextRefresh: LATER });
  await store.minions.note('web-01', { seenAt: LATER });
  await store.minions.note('web-01', {});
  const row = await store.minions.get('web-01');
  t.deepEqual([row?.version, row?.nextRefresh, row?.seenAt], ['1', LATER, LATER]);
  t.is(row?.generation, 1);
});

test('a target moves only from where it is thought to be', async (t) => {
  const store = await open();
  const of = job();
  await store.jobs.create(of, [target(of, 'a1'), target(of, 'a2')]);
  const at = { job: of.id, minion: 'a1' };
  const moved = { state: 'delivered', updatedAt: LATER } as const;
  t.true(await store.jobs.moveTarget({ ...at, from: ['queued'] }, moved));
  t.false(await store.jobs.moveTarget({ ...at, from: ['queued'] }, moved));
  t.deepEqual(
    (await store.jobs.targets(of.id)).map(({ minion: id, state }) => [id, state]),
    [
      ['a1', 'delivered'],
      ['a2', 'queued'],
    ],
  );
});

test('a job comes back as it was', async (t) => {
  const store = await open();
  const of = job({ dryRun: true, stateFiles: ['nginx'] });
  await store.jobs.create(of, []);
  t.deepEqual(await store.jobs.get(of.id), of);
  t.deepEqual(await store.jobs.list({ limit: 10 }), [of]);
  t.is(await store.jobs.get(uuidv7()), null);
});

test('unfinished and overdue targets are found, ended ones are not', async (t) => {
  const store = await open();
  const first = job();
  const second = job({ createdAt: LATER });
  const error = { code: 'MINION_OFFLINE', message: 'x' };
  await store.jobs.create(first, [
    target(first, 'a1', { expiresAt: NOW }),
    target(first, 'a2', { state: 'running' }),
    target(first, 'a3', { state: 'unreachable', error }),
  ]);
  await store.jobs.create(second, [target(second, 'a1')]);
  t.deepEqual(
    (await store.jobs.unfinishedOf('a1')).map((found) => found.job.id),
    [first.id, second.id],
  );
  t.deepEqual(await store.jobs.unfinishedOf('a3'), []);
  t.deepEqual((await store.jobs.targets(first.id))[2]?.error, error);
  const overdue = async (at: string) =>
    (await store.jobs.overdue(at)).map((found) => [found.target.minion, found.why]);
  t.deepEqual(await overdue(NOW), [['a1', 'expired']]);
  t.deepEqual((await overdue(LATER)).length, 3);
});

test('the state files of jobs are open to a minion until it has told their end', async (t) => {
  const store = await open();
  const make = async (name: string, more: Partial<JobTarget>, revision = REVISION) => {
    const of = job({ stateFiles: [name], revision });
    await store.jobs.create(of, [target(of, 'a1', more)]);
    return of.id;
  };
  const never = { expiresAt: null, deadline: null } as const;
  await make('waits', never);
  const running = await make('runs', { state: 'running' });
  const lost = await make('given-up', { state: 'timeout' });
  await make('never-given', { state: 'cancelled', ...never });
  await make('other-revision', {}, 'b'.repeat(64));
  const openTo = async (id: string) =>
    [...(await store.jobs.stateFilesOpenTo(id, REVISION))].toSorted();
  t.deepEqual(await openTo('a1'), ['given-up', 'runs', 'waits']);
  t.deepEqual(await openTo('a2'), []);
  await store.reports.add(report(running, 'a1'), LATER);
  await store.reports.add(report(lost, 'a1', { status: 'timeout' }), LATER);
  t.deepEqual(await openTo('a1'), ['waits']);
});

test('a report is kept once and ends its target', async (t) => {
  const store = await open();
  const of = job();
  await store.jobs.create(of, [target(of, 'a1', { state: 'running' })]);
  t.true(await store.reports.add(report(of.id, 'a1'), LATER));
  t.false(await store.reports.add(report(of.id, 'a1', { status: 'failed' }), LATER));
  t.is((await store.jobs.targets(of.id))[0]?.state, 'changed');
  t.is((await store.reports.get(of.id, 'a1'))?.status, 'changed');
  t.is(await store.reports.get(of.id, 'a2'), null);
});

test('where a job stands is told by what is on disk', async (t) => {
  const store = await open();
  const of = job({ rollout: { ...ALL_AT_ONCE, batch: '2', expiresAt: LATER } });
  const unsent = { expiresAt: null, deadline: null };
  await store.jobs.create(of, [
    target(of, 'a1', unsent),
    target(of, 'a2', { state: 'running' }),
    target(of, 'a3', { state: 'changed', updatedAt: LATER }),
    target(of, 'a4', { ...unsent, state: 'unreachable', updatedAt: LATER }),
  ]);
  t.deepEqual(await store.jobs.withQueued(), [of]);
  t.deepEqual(await store.jobs.queuedOf(of.id), [{ minion: 'a1', expiresAt: null }]);
  t.deepEqual(await store.jobs.underWayOf(of.id), ['a2']);
  t.deepEqual(Object.fromEntries(await store.jobs.tally(of.id)), {
    queued: 1,
    running: 1,
    changed: 1,
    unreachable: 1,
  });
  t.is(await store.jobs.endedAfter(of.id, NOW), 1, 'what was never delivered took no place');
  t.is(await store.jobs.endedAfter(of.id, LATER), 0);
  t.deepEqual(await store.jobs.overdue(NOW), []);
  t.like((await store.jobs.overdue(LATER))[0], { target: { minion: 'a1' }, why: 'expired' });

  t.deepEqual(await store.jobs.cancelledOf([of.id]), []);
  await store.jobs.cancel(of.id, NOW);
  await store.jobs.cancel(of.id, LATER);
  t.is((await store.jobs.get(of.id))?.cancelledAt, NOW);
  t.deepEqual(await store.jobs.cancelledOf([of.id, uuidv7()]), [of.id]);
  t.deepEqual(await store.jobs.cancelledOf([uuidv7()]), []);
});

test('what a minion reports is truer than what the master inferred', async (t) => {
  const store = await open();
  const of = job();
  const error = { code: 'X', message: 'x' };
  const states = ['expired', 'unreachable', 'interrupted', 'timeout'] as const;
  await store.jobs.create(
    of,
    states.map((state) => target(of, state, { state, error })),
  );
  for (const state of states) await store.reports.add(report(of.id, state), LATER);
  for (const row of await store.jobs.targets(of.id))
    t.deepEqual([row.state, row.error], ['changed', null]);
});

test('runs that nobody asked for are found, newest first, by cause and the beginning of the id', async (t) => {
  const store = await open();
  const of = job();
  await store.jobs.create(of, [target(of, 'a1')]);
  await store.reports.add(report(of.id, 'a1'), LATER);
  const [old, recent] = ['aaaa0000', 'bbbb0000'].map((start) => `${start}${uuidv7().slice(8)}`);
  for (const [id = '', cause, startedAt] of [
    [old, 'refresh', NOW],
    [recent, 'local', LATER],
  ] as const)
    await store.reports.add(report(id, 'a1', { cause, startedAt }), LATER);
  const ids = async (asked: Parameters<typeof store.reports.withoutJob>[0]) =>
    (await store.reports.withoutJob(asked)).map((found) => found.job);
  t.deepEqual(await ids({ limit: 9 }), [recent, old]);
  t.deepEqual(await ids({ limit: 1 }), [recent]);
  t.deepEqual(await ids({ limit: 9, cause: 'refresh' }), [old]);
  t.deepEqual(await ids({ limit: 9, prefix: 'aaaa' }), [old]);
  t.deepEqual(await ids({ limit: 9, prefix: of.id }), []);
});

test('keeps a report without a job, and the reason of a run that could not start', async (t) => {
  const store = await open();
  const of = job();
  await store.jobs.create(of, [target(of, 'a1')]);
  const error = { code: 'TREE_INVALID', message: 'states/x.yaml:1:1', output: 'tail' };
  await store.reports.add(report(of.id, 'a1', { status: 'failed', error }), LATER);
  t.deepEqual((await store.jobs.targets(of.id))[0]?.error, {
    code: 'TREE_INVALID',
    message: 'states/x.yaml:1:1',
  });
  t.true(await store.reports.add(report(uuidv7(), 'a1', { cause: 'refresh' }), LATER));
});

test('how long a run usually takes goes by the last few that were like it and went well', async (t) => {
  const store = await open();
  const notes = job({ stateFiles: ['notes'] });
  await store.jobs.create(notes, [target(notes, 'a1')]);
  const took = (seconds: number, more: Partial<Report> = {}, id = uuidv7()) => {
    const endedAt = new Date(Date.parse(LATER) + seconds * 1000).toISOString();
    return store.reports.add(report(id, 'a1', { startedAt: LATER, endedAt, ...more }), LATER);
  };
  const top = { dryRun: false, stateFiles: [] };
  t.is(await store.reports.usualMilliseconds('a1', top), null);
  for (const seconds of [10, 12, 20]) await took(seconds, { cause: 'refresh' });
  await took(99, { status: 'failed' });
  for (const seconds of [1, 2, 3]) await took(seconds, { cause: 'local' });
  await took(1, { dryRun: true });
  await took(50, { stateFiles: ['notes'] }, notes.id);
  t.is(await store.reports.usualMilliseconds('a1', top), 12_000);
  t.is(await store.reports.usualMilliseconds('a1', { ...top, dryRun: true }), 1_000);
  t.is(await store.reports.usualMilliseconds('a1', { ...top, stateFiles: ['notes'] }), 50_000);
  t.is(await store.reports.usualMilliseconds('a2', top), null);
});

test("knows each minion's newest real run", async (t) => {
  const store = await open();
  for (const id of ['a1', 'a2']) await store.minions.add(minion(id));
  const add = (id: string, endedAt: string, more: Partial<Report> = {}) =>
    store.reports.add(report(uuidv7(), id, { endedAt, ...more }), LATER);
  await add('a1', NOW, { status: 'failed' });
  await add('a1', LATER, { owed: ['x'] });
  await add('a1', '2026-02-01T00:00:00.000Z', { dryRun: true });
  await add('a2', NOW);
  await add('gone', NOW);
  const latest = await store.reports.latest();
  t.deepEqual([...latest.keys()].sort(), ['a1', 'a2']);
  t.like(latest.get('a1'), { whole: { endedAt: LATER, owed: 1, stateFiles: [] }, partial: null });
});

test('a run of some state files does not hide the last one of the whole tree', async (t) => {
  const store = await open();
  await store.minions.add(minion('a1'));
  const add = (second: number, more: Partial<Report> = {}) => {
    const endedAt = `2026-01-01T00:00:0${second}.000Z`;
    return store.reports.add(report(uuidv7(), 'a1', { endedAt, ...more }), LATER);
  };
  const latest = async () => (await store.reports.latest()).get('a1');
  await add(1, { stateFiles: ['motd'], status: 'ok' });
  t.like(await latest(), { whole: null, partial: { stateFiles: ['motd'], status: 'ok' } });
  await add(2, { status: 'failed' });
  t.like(await latest(), { whole: { status: 'failed' }, partial: null }, 'it is older');
  await add(4, { stateFiles: ['motd', 'ver'], status: 'ok', cause: 'local' });
  await add(3, { stateFiles: ['nginx'] });
  await add(5, { stateFiles: ['nginx'], dryRun: true });
  const told = await latest();
  t.like(told, { whole: { status: 'failed' }, partial: { status: 'ok' } });
  t.deepEqual(told?.partial?.stateFiles, ['motd', 'ver']);
  await store.reports.prune({ receivedBefore: '2030-01-01T00:00:00.000Z', bytes: 1e6 });
  t.deepEqual(await latest(), told, 'both stay, however old');
  t.is((await store.reports.withoutJob({ limit: 9 })).length, 2);
});

test('a run under a clock that was ahead is not the newest for ever', async (t) => {
  const store = await open();
  await store.minions.add(minion('a1'));
  await store.reports.add(report(uuidv7(), 'a1', { endedAt: '2036-01-01T00:00:00.000Z' }), NOW);
  await store.reports.add(report(uuidv7(), 'a1', { endedAt: LATER, status: 'failed' }), LATER);
  t.is((await store.reports.latest()).get('a1')?.whole?.status, 'failed');
});

test('history is bounded by age and by size; jobs go with their reports', async (t) => {
  const store = await open();
  for (const id of ['a1', 'a2']) await store.minions.add(minion(id));
  const old = job();
  await store.jobs.create(old, [target(old, 'a1')]);
  await store.reports.add(report(old.id, 'a1'), NOW);
  const fresh = job({ createdAt: LATER });
  await store.jobs.create(fresh, [target(fresh, 'a1')]);
  await store.reports.add(report(fresh.id, 'a1', { endedAt: LATER }), LATER);
  const idle = uuidv7();
  await store.reports.add(report(idle, 'a2'), NOW);

  t.is(await store.reports.prune({ receivedBefore: LATER, bytes: 1e6 }), 1);
  t.is(await store.jobs.get(old.id), null);
  t.deepEqual(await store.jobs.targets(old.id), []);
  t.not(await store.jobs.get(fresh.id), null);
  t.not(await store.reports.get(idle, 'a2'), null, 'the newest of a minion stays, however old');
  await store.minions.remove('a2');
  t.is(await store.reports.prune({ receivedBefore: LATER, bytes: 1e6 }), 1);
  t.is(await store.reports.get(idle, 'a2'), null, 'but not of one that is gone');

  const add = (at: string) => store.reports.add(report(uuidv7(), 'a1', { endedAt: at }), at);
  const size = JSON.stringify(report(fresh.id, 'a1')).length;
  for (let n = 0; n < 9; n += 1) await add(`2026-02-0${n + 1}T00:00:00.000Z`);
  t.is(await store.reports.prune({ receivedBefore: NOW, bytes: size * 4 }), 6);
  t.is(await store.reports.prune({ receivedBefore: NOW, bytes: size * 4 }), 0);
});

test('what goes for want of room is the oldest of the minion of which there is most', async (t) => {
  const store = await open();
  const days = Array.from({ length: 20 }, (_, day) =>
    `2026-02-${day + 1}T`.replace(/-(\d)T/u, '-0$1T'),
  );
  for (const id of ['quiet', 'loud1', 'liar1']) await store.minions.add(minion(id));
  const add = (id: string, day: string, more: Partial<Report> = {}) => {
    const at = `${day}00:00:00.000Z`;
    return store.reports.add(report(uuidv7(), id, { endedAt: at, ...more }), at);
  };
  const countOf = async (id: string) =>
    (await store.reports.withoutJob({ limit: 99, minions: [id] })).length;
  for (const day of days.slice(0, 5)) await add('quiet', day);
  for (const day of days) await add('loud1', day);
  for (const day of days) await add('liar1', day, { endedAt: LATER });
  const size = store.reports.bytesAdded() / 45;
  t.is(size, Math.round(size), 'all are of one size');

  await store.reports.prune({ receivedBefore: NOW, bytes: size * 15 });
  t.deepEqual([await countOf('quiet'), await countOf('loud1'), await countOf('liar1')], [5, 5, 5]);
  t.is(
    (await store.reports.latest()).get('loud1')?.whole?.endedAt,
    `${days[19] ?? ''}00:00:00.000Z`,
  );
  t.is(store.reports.bytesAdded(), 0);
  await store.reports.prune({ receivedBefore: NOW, bytes: 0 });
  t.deepEqual([await countOf('quiet'), await countOf('loud1'), await countOf('liar1')], [1, 1, 1]);
});

function drifting(count: number, at: string, key = 'key'): Report['outcomes'] {
  return Array.from({ length: count }, (_, index) => ({
    key: `${key} ${index}`,
    id: 'x',
    name: 'x',
    type: 'note.present',
    place: 'states/x.yaml:1:1',
    status: 'changed',
    origin: { kind: 'drift', times: 1, since: NOW },
    startedAt: at,
    milliseconds: 1,
  }));
}

test('drift is first seen no later than last, though it is seen after its state began', async (t) => {
  const store = await open();
  const outcomes = drifting(1, NOW).map((outcome) => ({
    ...outcome,
    origin: { kind: 'drift', times: 1, since: LATER } as const,
  }));
  await store.reports.add(report(uuidv7(), 'a1', { outcomes }), LATER);
  t.like((await store.drifts.list({ since: NOW }))[0], { since: NOW, lastAt: NOW });
});

test('drift is kept once for each state, of no minion more than there is room, and not for ever', async (t) => {
  const store = await open();
  const tell = async (id: string, outcomes: Report['outcomes']) =>
    store.reports.add(report(uuidv7(), id, { outcomes }), LATER);
  const count = async (since: string) => store.drifts.counts({ since });
  await tell('a1', drifting(2, LATER));
  // An older report that comes late does not make it older.
  await tell('a1', drifting(2, NOW));
  t.deepEqual(await count(LATER), new Map([['a1', 2]]));
  // A clock that is ahead does not keep it longer.
  await tell('b1', drifting(1, '2099-01-01T00:00:00.000Z'));
  t.is((await store.drifts.list({ since: NOW }))[0]?.lastAt, LATER);

  await tell('c1', drifting(999, LATER));
  t.is((await count(NOW)).get('c1'), 200);
  for (let turn = 0; turn < 6; turn += 1) await tell('c1', drifting(200, LATER, `turn ${turn}`));
  t.is((await count(NOW)).get('c1'), 1000);
  await store.reports.prune({ receivedBefore: '2026-01-04T00:00:00.000Z', bytes: 1e9 });
  t.deepEqual(await count(NOW), new Map());
});

test('publishing makes a revision the newest; those in use outlive pruning', async (t) => {
  const store = await open();
  const ids = ['1', '2', '3', '4'].map((digit) => digit.repeat(64));
  const manifest = [{ path: 'states/top.yaml', sha256: REVISION, size: 3, mode: '0644' }];
  for (const id of ids) await store.revisions.publish({ id, publishedAt: NOW, manifest });
  t.is((await store.revisions.newest())?.id, ids[3]);
  await store.revisions.publish({ id: ids[1] ?? '', publishedAt: LATER, manifest });
  t.deepEqual(await store.revisions.newest(), { id: ids[1] ?? '', publishedAt: LATER, manifest });
  const of = job({ revision: ids[0] ?? '' });
  await store.jobs.create(of, [target(of, 'a1', { state: 'running' })]);
  const kept = await store.revisions.prune(2);
  t.deepEqual(kept.map(({ id }) => id).sort(), [ids[0], ids[1], ids[3]]);
  t.is(await store.revisions.get(ids[2] ?? ''), null);
});

test("a certificate's serial only rises", async (t) => {
  const store = await open();
  t.is(await store.certificates.newest(), null);
  await store.certificates.add({ serial: 1, bytes: 'aa', createdAt: NOW });
  await t.throwsAsync(store.certificates.add({ serial: 1, bytes: 'bb', createdAt: NOW }), {
    message: /1 is in use/u,
  });
  await store.certificates.add({ serial: 2, bytes: 'bb', createdAt: NOW });
  t.is((await store.certificates.newest())?.serial, 2);
});

test('what is written together is committed together, and what fails takes back only its own', async (t) => {
  const store = await open();
  const added = ['a1', 'a2', 'a1', 'a3'].map((id) => store.minions.add(minion(id)));
  const facts = store.minions.setFacts('a2', { os: 'Debian' }, NOW);
  const settled = await Promise.allSettled([...added, facts]);
  t.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  t.deepEqual(
    (await store.minions.list()).map(({ id }) => id),
    ['a1', 'a2', 'a3'],
  );
  t.not(await store.minions.facts('a2'), null);
  await store.close();
  await t.throwsAsync(store.minions.add(minion('a4')));
});

test('all unfinished targets are found at once', async (t) => {
  const store = await open();
  const of = job();
  await store.jobs.create(of, [
    target(of, 'a1'),
    target(of, 'a2', { state: 'running' }),
    target(of, 'a3', { state: 'ok' }),
  ]);
  t.deepEqual(
    (await store.jobs.unfinished()).map(({ minion: id }) => id),
    ['a1', 'a2'],
  );
});

test('what was written is there after closing and opening again', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-store-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'master.sqlite');
  const first = await openSqliteStore(path);
  await first.minions.add(minion('web-01'));
  await first.close();
  const second = await openSqliteStore(path);
  t.deepEqual(await second.minions.list(), [minion('web-01')]);
  await second.close();
});

test('a damaged store is named, not overwritten', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-store-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'master.sqlite');
  writeFileSync(path, 'this is no database, and long enough to be looked at as one'.repeat(20));
  await t.throwsAsync(openSqliteStore(path), {
    message: /Cannot open the store ".*": .*not a database/u,
  });
});

test('a full disk is called one, takes back what was begun, and is over when there is space', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-full-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const database = await openDatabase(join(directory, 'store.sqlite'));
  t.teardown(() => database.destroy());
  const insert = (bytes: string) =>
    database.transaction().execute(async (transaction) => {
      for (const serial of [1, 2])
        await transaction
          .insertInto('certificates')
          .values({ serial, bytes, created_at: NOW })
          .execute();
    });
  await sql`pragma max_page_count = 1`.execute(database);
  const error = await t.throwsAsync(insert('x'.repeat(100_000)), { code: 'HOST_FILE_FAILED' });
  t.regex(error.message, /the disk is full/u);
  t.deepEqual(await database.selectFrom('certificates').selectAll().execute(), []);
  await sql`pragma max_page_count = 100000`.execute(database);
  await insert('x');
  t.is((await database.selectFrom('certificates').selectAll().execute()).length, 2);
});

test('only its owner can read the database, also one that others could read before', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-store-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'master.sqlite');
  const files = [path, `${path}-wal`, `${path}-shm`];
  const modes = () => files.map((file) => statSync(file).mode & 0o777);
  const first = await openSqliteStore(path);
  await first.invitations.add(invitation());
  t.deepEqual(modes(), [0o600, 0o600, 0o600]);
  for (const file of files) chmodSync(file, 0o644);
  const second = await openSqliteStore(path);
  t.deepEqual(modes(), [0o600, 0o600, 0o600]);
  t.not(await second.invitations.get(invitation().tid), null);
  await second.close();
  await first.close();
});
