import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import fastify from 'fastify';
import { createAlarms } from '../../master/alarms.ts';
import { addRoute } from '../../master/api/routes.ts';
import { argumentsAsJson, shortFingerprint } from '../../master/catalog.ts';
import { parseSettings } from '../../master/cli/values.ts';
import { readMasterConfig, splitAddress } from '../../master/config/master-config.ts';
import { demand, minionCaller, OPERATOR, PERMISSIONS } from '../../master/gate.ts';
import { prune, trimIfDue } from '../../master/housekeeping.ts';
import { createJobEvents } from '../../master/jobs/job-events.ts';
import { exitCodeOfTargets, hasEnded } from '../../master/jobs/job-result.ts';
import { createProgressBoard } from '../../master/jobs/progress.ts';
import { resolveTarget } from '../../master/jobs/resolve-target.ts';
import { jsonMapping } from '../../master/json-values.ts';
import { renderData } from '../../master/render/data.ts';
import { renderTable, renderTime, short, shortRevision } from '../../master/render/table.ts';
import { openBlobStore } from '../../master/revisions/blob-store.ts';
import { createPublisher } from '../../master/revisions/publisher.ts';
import { watchTree } from '../../master/revisions/watch-tree.ts';
import { answerErrors, buildServer, requirePermissions } from '../../master/server.ts';
import { createAdmission } from '../../master/sessions/admission.ts';
import { createBackoff } from '../../master/sessions/backoff.ts';
import { createPings } from '../../master/sessions/pings.ts';
import { createPresence, type Session } from '../../master/sessions/presence.ts';
import { requireInitialized, statePaths } from '../../master/state-directory.ts';
import { lockStateDirectory } from '../../master/state-lock.ts';
import { openSqliteStore } from '../../master/store/sqlite/sqlite-store.ts';
import { TARGET_STATES, type JobEvent } from '../../protocol/messages.ts';
import { createLogger } from '../../shared/log.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import { report, testMaster, until } from './harness.ts';

const quiet = createLogger({ name: 'test', level: 'error', write: () => undefined });

function directoryFor(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-parts-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('a route without a permission stops the start', (t) => {
  const app = fastify();
  requirePermissions(app);
  t.throws(() => app.get('/open', () => 'x'), { message: /GET \/open declares no permission/u });
});

test('a caller without the permission is turned away before anything happens', async (t) => {
  const app = fastify();
  answerErrors(app, quiet);
  let calls = 0;
  const handle = () => {
    calls += 1;
    return {};
  };
  addRoute(app, minionCaller('web-01'), {
    method: 'GET',
    url: '/x',
    permission: 'keys.read',
    handle,
  });
  const answer = await app.inject('/x');
  t.is(answer.statusCode, 403);
  t.is(answer.json().code, 'PERMISSION_DENIED');
  t.is(calls, 0);
});

test("every permission but a session's is the operator's, and a minion has none of them", (t) => {
  for (const permission of PERMISSIONS) {
    const isSession = permission === 'minion.session';
    t[isSession ? 'throws' : 'notThrows'](() => demand(OPERATOR, permission));
    t[isSession ? 'notThrows' : 'throws'](() => demand(minionCaller('a'), permission));
  }
});

test('the socket takes closed requests only, and tells what is wrong', async (t) => {
  const on = await testMaster(t);
  const app = buildServer(on.master.services);
  const post = (url: string, payload: object) => app.inject({ method: 'POST', url, payload });
  const cases: [string, object][] = [
    ['/jobs', { target: 'x', dry_run: true }],
    ['/jobs', {}],
    ['/jobs', { target: 'x', timeoutSeconds: 'many' }],
    ['/keys', { id: '../x', publicKey: '00' }],
    ['/invitations', { groups: ['not a name'] }],
    ['/keys/a/reject', { why: 1 }],
  ];
  for (const [url, payload] of cases) {
    const answer = await post(url, payload);
    t.is(answer.statusCode, 400, url);
    t.is(answer.json().code, 'USAGE');
  }
  t.is((await app.inject('/jobs?limit=lots')).statusCode, 400);
  t.is((await app.inject('/jobs?surprise=1')).statusCode, 400);
  t.is((await app.inject('/nothing')).json().code, 'NOT_FOUND');
  t.is(
    (
      await app.inject({
        method: 'POST',
        url: '/jobs',
        payload: '{',
        headers: { 'content-type': 'application/json' },
      })
    ).statusCode,
    400,
  );
  t.is((await app.inject('/keys/none')).statusCode, 404);
});

test('a bug is told as such, and its words stay in the log', async (t) => {
  const lines: string[] = [];
  const app = fastify();
  answerErrors(app, createLogger({ name: 'x', level: 'error', write: (line) => lines.push(line) }));
  app.get('/bug', () => {
    throw new TypeError('secret detail');
  });
  const answer = await app.inject('/bug');
  t.is(answer.statusCode, 500);
  t.notRegex(answer.body, /secret detail/u);
  t.regex(lines.join(), /secret detail/u);
});

const wide = { inFlight: 99, inFlightPerAddress: 99, perAddressPerSecond: 99 };

test('admission bounds the rate of an address and the handshakes at once', (t) => {
  let now = 0;
  const admission = createAdmission(() => now, { ...wide, inFlight: 5, perAddressPerSecond: 3 });
  const enter = (address: string) => admission.enter(address);
  const left = ['a', 'a', 'a', 'a', 'b', 'b', 'b'].map(enter);
  t.deepEqual(
    left.map((leave) => leave !== null),
    [true, true, true, false, true, true, false],
  );
  for (const leave of left) leave?.();
  t.is(enter('a'), null);
  now = 1000;
  t.not(enter('a'), null);
});

test('one address takes no more than its share of the handshakes at once', (t) => {
  const admission = createAdmission(() => 0, { ...wide, inFlight: 4, inFlightPerAddress: 2 });
  const first = admission.enter('a');
  t.not(admission.enter('a'), null);
  t.is(admission.enter('a'), null);
  t.not(admission.enter('b'), null);
  first?.();
  t.not(admission.enter('a'), null);
});

test('addresses of one IPv6 network count as one', (t) => {
  const admission = createAdmission(() => 0, { ...wide, perAddressPerSecond: 2 });
  const mayEnter = (address: string) => admission.enter(address) !== null;
  t.true(mayEnter('2001:db8::1'));
  t.true(mayEnter('2001:db8:0:0:9:8:7:6'));
  t.false(mayEnter('2001:db8::ffff:1'));
  t.true(mayEnter('2001:db8:0:1::1'));
  for (const address of ['2001::5:6:7:8:9', '2001:0:0:5::1']) t.true(mayEnter(address));
  t.false(mayEnter('2001:0:0:5:1:2:3:4'));
  for (const address of ['::ffff:10.0.0.1', '::ffff:10.0.0.2', '::1']) t.true(mayEnter(address));
});

test('who was denied has to wait, unless an operator has changed something', (t) => {
  let now = 0;
  const backoff = createBackoff(() => now);
  backoff.start('10.0.0.1', 'web-01');
  t.true(backoff.isWaiting('10.0.0.1', 'web-01'));
  t.false(backoff.isWaiting('10.0.0.2', 'web-01'));
  t.false(backoff.isWaiting('10.0.0.1', 'web-02'));
  now = 3_600_001;
  t.false(backoff.isWaiting('10.0.0.1', 'web-01'));
  now = 0;
  backoff.forgive('web-01');
  t.false(backoff.isWaiting('10.0.0.1', 'web-01'));
});

function fakeSession(minion: string): Session & { readonly ends: string[] } {
  const ends: string[] = [];
  return {
    minion,
    generation: 1,
    address: 'x',
    connectedAt: '2026-01-01T00:00:00.000Z',
    capabilities: null,
    sentJobs: new Set(),
    send: () => undefined,
    end: (reason) => ends.push(reason),
    ends,
  };
}

test('one session a minion: the newest; displacement twice in a minute is an alarm', (t) => {
  let now = 0;
  const presence = createPresence(() => now);
  const [first, second, third, fourth] = [1, 2, 3, 4].map(() => fakeSession('a'));
  if (!first || !second || !third || !fourth) throw new Error('four were made');
  t.false(presence.enter(first).isCloneAlarm);
  t.deepEqual(presence.enter(second), { displaced: first, isCloneAlarm: false });
  t.deepEqual(first.ends, ['displaced']);
  t.false(presence.leave(first));
  t.is(presence.get('a'), second);
  now = 59_999;
  t.true(presence.enter(third).isCloneAlarm);
  now = 200_000;
  t.false(presence.enter(fourth).isCloneAlarm);
  t.true(presence.leave(fourth));
  t.is(presence.get('a'), null);
});

test('a ping takes tenths of milliseconds: more is noise', async (t) => {
  const clock = [100, 102.4409130000003643];
  const pings = createPings(() => clock.shift() ?? 0);
  const asking = pings.ask(fakeSession('a'), 5000);
  pings.answered('a', 1);
  t.deepEqual(await asking, { minion: 'a', milliseconds: 2.4 });
});

test("a ping that is not answered in time is silence, and a stranger's answer is none", async (t) => {
  const pings = createPings(Date.now);
  const asking = pings.ask(fakeSession('a'), 30);
  pings.answered('b', 1);
  t.deepEqual(await asking, { minion: 'a', milliseconds: null });
});

test('alarms are newest first, told once, and forgotten after a day', (t) => {
  let now = new Date('2026-01-01T00:00:00Z');
  const alarms = createAlarms(() => now);
  alarms.raise('a', 'one');
  alarms.raise('b', 'two');
  alarms.raise('a', 'one');
  t.deepEqual(
    alarms.list().map(({ message }) => message),
    ['one', 'two'],
  );
  now = new Date('2026-01-02T00:00:01Z');
  t.deepEqual(alarms.list(), []);
});

test('however many alarms one minion raises, those of the others stay', (t) => {
  const alarms = createAlarms(() => new Date('2026-01-01T00:00:00Z'));
  alarms.raise('quiet', 'a disk that fails');
  for (let number = 1; number <= 300; number += 1) alarms.raise('liar', `made up ${number}`);
  const [first, ...others] = alarms.list();
  t.like(first, { minion: 'liar', message: 'made up 300' });
  t.is(others.length, 20);
  t.like(others.at(-1), { minion: 'quiet', message: 'a disk that fails' });
});

const done = { event: 'done', exitCode: 0 } as const;

async function read(source: AsyncIterable<JobEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of source) seen.push(event.event);
  return seen;
}

test('everybody who follows a job hears all of it, in order, and then it ends', async (t) => {
  const events = createJobEvents();
  const { signal } = new AbortController();
  const readers = [read(events.follow('j', signal)), read(events.follow('j', signal))];
  events.publish('other', done);
  events.publish('j', { event: 'target', minion: 'a', state: 'ok' });
  events.publish('j', done);
  t.deepEqual(await Promise.all(readers), [
    ['target', 'done'],
    ['target', 'done'],
  ]);
});

test('a reader that has gone is forgotten, even while it waits', async (t) => {
  const events = createJobEvents();
  const gone = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of events.follow('j', gone.signal)) seen.push(event.event);
  })();
  gone.abort();
  await reading;
  events.publish('j', done);
  t.deepEqual(seen, []);
});

test('a slow reader misses progress, but no state of a target', async (t) => {
  const events = createJobEvents();
  const stream = events.follow('j', new AbortController().signal);
  for (let count = 0; count < 12_000; count += 1)
    events.publish('j', { event: 'run', minion: 'a', run: { event: 'compiling' } });
  events.publish('j', { event: 'target', minion: 'a', state: 'ok' });
  events.publish('j', done);
  const seen: string[] = [];
  for await (const event of stream) seen.push(event.event);
  t.is(seen.length, 10_002);
  t.deepEqual(seen.slice(-2), ['target', 'done']);
});

test('a reader that stands still holds few megabytes, however large what it misses is', async (t) => {
  const events = createJobEvents();
  const stream = events.follow('j', new AbortController().signal);
  const large = { id: 'x'.repeat(1024 * 1024), type: 'file.managed', number: 1, total: 1 };
  for (let count = 0; count < 100; count += 1)
    events.publish('j', { event: 'run', minion: 'a', run: { event: 'started', ...large } });
  events.publish('j', done);
  const seen: string[] = [];
  for await (const event of stream) seen.push(event.event);
  t.true(seen.length > 1 && seen.length < 10, String(seen.length));
  t.is(seen.at(-1), 'done');
});

function code(...states: (typeof TARGET_STATES)[number][]): number {
  return exitCodeOfTargets(states.map((state) => ({ state, error: null })));
}

test('the exit code of a job is that of the worst target', (t) => {
  t.is(code('ok', 'changed'), 0);
  t.is(code('ok', 'failed', 'unreachable'), 2);
  for (const state of ['unreachable', 'expired', 'timeout', 'interrupted', 'cancelled'] as const)
    t.is(code('ok', state), 3);
  const error = { code: 'TREE_INVALID', message: '' };
  t.is(
    exitCodeOfTargets([
      { state: 'failed', error },
      { state: 'failed', error: null },
    ]),
    4,
  );
  const cutOff = { code: 'MASTER_UNREACHABLE', message: '' };
  t.is(exitCodeOfTargets([{ state: 'failed', error: cutOff }]), 3);
  const stranger = { code: 'NOTHING_DECLARED', message: '' };
  t.is(exitCodeOfTargets([{ state: 'failed', error: stranger }]), 5);
  const busy = { code: 'RUN_BUSY', message: '' };
  const refused = { state: 'failed', error: busy } as const;
  t.is(exitCodeOfTargets([refused, { state: 'unreachable', error: null }]), 5);
  t.is(exitCodeOfTargets([refused, { state: 'failed', error: null }]), 2);
  t.deepEqual(
    TARGET_STATES.filter((state) => !hasEnded(state)),
    ['queued', 'delivered', 'running'],
  );
});

test('progress is what a run has said last', (t) => {
  const board = createProgressBoard();
  board.note('j', 'a', { event: 'started', number: 2, total: 3, id: 'x', type: 'pkg.installed' });
  board.note('j', 'a', { event: 'compiling' });
  t.deepEqual(board.get('j', 'a'), { number: 2, total: 3, current: 'pkg.installed x' });
  t.is(board.get('j', 'b'), null);
  board.waits('j', 'b', 'waits for job k');
  t.is(board.waitingFor('j', 'b'), 'waits for job k');
  board.note('j', 'b', { event: 'compiling' });
  t.is(board.waitingFor('j', 'b'), null);
  board.forget('j', 'a');
  t.is(board.get('j', 'a'), null);
});

const fleet = [
  { id: 'web-01', groups: ['web'], facts: { os: 'Debian' }, pillar: () => ({ role: 'app' }) },
  { id: 'web-02', groups: ['web'], facts: { os: 'Ubuntu' }, pillar: () => ({ role: 'app' }) },
  { id: 'db-01', groups: ['db'], facts: { os: 'Debian' }, pillar: () => ({ role: 'store' }) },
];

test('targets mean minions by id, group, glob, facts and pillar', (t) => {
  t.deepEqual(resolveTarget('web', fleet), ['web-01', 'web-02']);
  t.deepEqual(resolveTarget('*-01 and not db', fleet), ['web-01']);
  t.deepEqual(resolveTarget('[db-01, web-02]', fleet), ['db-01', 'web-02']);
  t.deepEqual(resolveTarget('pillar.role:app and facts.os:Debian', fleet), ['web-01']);
});

test('a name that nothing has is told from an expression that fits nobody', (t) => {
  for (const target of ['wbe', 'web or wbe', '[web-01, wbe]', 'not wbe', 'x-* or wbe'])
    t.throws(() => resolveTarget(target, fleet), { code: 'TARGET_INVALID' } as object, target);
  for (const target of ['web and db', 'facts.os:Plan9', 're:^x', 'x-*', 'web or x-*'])
    t.throws(() => resolveTarget(target, fleet), { code: 'TARGET_EMPTY' } as object, target);
  t.throws(() => resolveTarget('*', []), { code: 'TARGET_EMPTY' } as object);
});

test('tables line up for people and are tabs for programs; nothing in them can act', (t) => {
  const rows = [
    ['web-01', 'ok'],
    ['db', 'x\ny\u001b'],
  ];
  t.deepEqual(renderTable(['minion', 'is'], rows, { isTerminal: true, color: false }), [
    'MINION  IS',
    'web-01  ok',
    'db      x\\x0ay\\x1b',
  ]);
  t.deepEqual(renderTable(['a', 'b'], rows, { isTerminal: false, color: false }), [
    'A\tB',
    'web-01\tok',
    'db\tx\\x0ay\\x1b',
  ]);
});

test('times are near for people and exact for programs', (t) => {
  const now = new Date('2026-01-01T12:00:00Z');
  const shown = (time: string | null) => renderTime(time, { isTerminal: true, now });
  t.is(shown('2026-01-01T11:57:00Z'), '3 min ago');
  t.is(shown('2026-01-01T14:00:00Z'), 'in 2 h');
  t.is(shown('2026-01-01T12:00:00Z'), 'now');
  t.is(shown(null), '-');
  t.is(renderTime('2026-01-01T11:57:00Z', { isTerminal: false, now }), '2026-01-01T11:57:00Z');
  t.is(short('0123456789abcdef', { isTerminal: true }).length, 13);
  t.is(shortRevision('0123456789abcdef'), '0123456789ab');
  t.is(shortRevision(null), '-');
});

test('data is shown as indented lines', (t) => {
  const data = {
    a: { b: [1, { c: 'x: y', d: '' }], e: {}, f: [] },
    g: null,
    h: 'plain text',
    i: 'a\u001b',
  };
  t.deepEqual(renderData(data), [
    'a:',
    '  b:',
    '    - 1',
    '    - c: "x: y"',
    '      d: ""',
    '  e: {}',
    '  f: []',
    'g: null',
    'h: plain text',
    'i: "a\\u001b"',
  ]);
});

const starred = (text: string) => text.replaceAll('hunter2', '***');

test('arguments are shown with tree files by their path and secrets blanked', (t) => {
  const file = { path: 'templates/a', sha256: 'x', read: () => new Uint8Array() };
  const blanking = {
    redact: starred,
    secretNames: new Set(['password', 'keys']),
    fingerprint: (text: string) => String(text.length),
  };
  t.deepEqual(argumentsAsJson({ source: file, list: ['hunter2!'] }, blanking), {
    source: 'templates/a',
    list: ['***!'],
  });
  const open = { user: 'a', password: 'open', options: { keys: ['b'], password: null } };
  t.deepEqual(argumentsAsJson(open, blanking), {
    user: 'a',
    password: 'secret(4)',
    options: { keys: 'secret(5)', password: null },
  });
  t.is(argumentsAsJson(undefined, blanking), null);
  t.regex(shortFingerprint('x', '00'), /^[0-9a-f]{4}$/u);
  t.throws(() => jsonMapping({ a: () => 1 }));
});

test('blobs are whole or missing; damage is told and mended by writing again', (t) => {
  const directory = join(directoryFor(t), 'blobs');
  writeFileSync(directory, 'not even a directory');
  const damaged: string[] = [];
  const blobs = openBlobStore(directory, (path) => damaged.push(path));
  const sha = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  t.is(blobs.read(sha), null);
  blobs.write(sha, Buffer.from('abc'));
  t.is(Buffer.from(blobs.read(sha) ?? []).toString(), 'abc');
  writeFileSync(join(directory, sha), 'abd');
  t.is(blobs.read(sha), null);
  t.deepEqual(damaged, [join(directory, sha)]);
  mkdirSync(join(directory, sha, 'inside'), { recursive: true });
  blobs.write(sha, Buffer.from('abc'));
  t.is(damaged.length, 2);
  writeFileSync(join(directory, sha), 'abd');
  blobs.write(sha, Buffer.from('abc'));
  t.is(Buffer.from(blobs.read(sha) ?? []).toString(), 'abc');
  t.is(blobs.prune(new Set([sha])), 0);
  t.is(blobs.prune(new Set()), 1);
});

test('an older revision can still be read whole, and an unknown one is told', async (t) => {
  const directory = directoryFor(t);
  const tree = join(directory, 'tree');
  mkdirSync(join(tree, 'states'), { recursive: true });
  const store = await openSqliteStore(':memory:');
  const blobs = openBlobStore(join(directory, 'blobs'));
  const parts = {
    directory: tree,
    store,
    blobs,
    states: new Map(),
    log: quiet,
    now: () => new Date(),
  };
  const ids: string[] = [];
  for (const text of ['base: {}\n', 'base: {"*": []}\n']) {
    writeFileSync(join(tree, 'states', 'top.yaml'), text);
    ids.push((await (await createPublisher(parts)).current()).revision);
  }
  const publisher = await createPublisher(parts);
  const old = await publisher.tree(ids[0] ?? '');
  t.is(Buffer.from(old.read('states/top.yaml') ?? []).toString(), 'base: {}\n');
  t.is(publisher.newest()?.revision, ids[1]);
  await t.throwsAsync(publisher.tree('f'.repeat(64)), { message: /is not known/u });
});

test('a blob that is damaged is taken from the tree again; what the tree has lost is compiled by nobody', async (t) => {
  const directory = directoryFor(t);
  const tree = join(directory, 'tree');
  mkdirSync(join(tree, 'states'), { recursive: true });
  const top = join(tree, 'states', 'top.yaml');
  writeFileSync(top, 'base: {}\n');
  const store = await openSqliteStore(':memory:');
  const blobs = openBlobStore(join(directory, 'blobs'));
  const parts = {
    directory: tree,
    store,
    blobs,
    states: new Map(),
    log: quiet,
    now: () => new Date(),
  };
  const { revision } = await (await createPublisher(parts)).current();
  const [entry] = (await (await createPublisher(parts)).tree(revision)).manifest;
  const blob = join(directory, 'blobs', entry?.sha256 ?? '');
  writeFileSync(blob, 'base: []\n');
  const mended = await (await createPublisher(parts)).tree(revision);
  t.is(Buffer.from(mended.read('states/top.yaml') ?? []).toString(), 'base: {}\n');

  writeFileSync(blob, 'base: []\n');
  writeFileSync(top, 'base: {"*": []}\n');
  const lost = await (await createPublisher(parts)).tree(revision);
  t.throws(() => lost.read('states/top.yaml'), { code: 'STATE_DIRECTORY_INVALID' });
});

test('a change deep in a directory is noticed, also in one that is new', async (t) => {
  const directory = directoryFor(t);
  let calls = 0;
  const watch = watchTree(
    directory,
    () => {
      calls += 1;
      return Promise.resolve();
    },
    { log: quiet, debounceMs: 20 },
  );
  mkdirSync(join(directory, 'a', 'b'), { recursive: true });
  await until(() => calls > 0);
  const before = calls;
  writeFileSync(join(directory, 'a', 'b', 'c.yaml'), 'x');
  await until(() => calls > before);
  watch.stop();
  t.true(calls > before);
});

test('a file that cannot be watched is looked for again, and no trouble', async (t) => {
  const directory = directoryFor(t);
  const lines: string[] = [];
  const log = createLogger({ name: 'test', level: 'warn', write: (line) => lines.push(line) });
  let calls = 0;
  const changed = () => {
    calls += 1;
    return Promise.resolve();
  };
  const watch = watchTree(directory, changed, { log, debounceMs: 20 });
  symlinkSync('loop', join(directory, 'loop'));
  await until(() => calls > 0);
  const before = calls;
  writeFileSync(join(directory, 'web.yaml'), 'x');
  await until(() => calls > before);
  watch.stop();
  t.deepEqual(lines, []);
});

test('a tree that changes is published without being asked', async (t) => {
  const on = await testMaster(t);
  const before = on.master.services.publisher.newest()?.revision;
  on.write({ 'pillars/common.yaml': 'greeting: good evening\n' });
  await until(() => on.master.services.publisher.newest()?.revision !== before);
  t.not(on.master.services.publisher.newest()?.revision, before);
});

test('a second master on one state directory is refused, and names the first', async (t) => {
  const paths = statePaths(directoryFor(t));
  const lock = lockStateDirectory(paths);
  const message = new RegExp(`process ${process.pid} holds it since 20`, 'u');
  t.throws(() => lockStateDirectory(paths), { message });
  lock.release();
  lockStateDirectory(paths).release();
});

test('what a power loss has left in the place of the lock keeps no master from starting', (t) => {
  for (const damage of [
    (path: string) => writeFileSync(path, 'garbage'),
    (path: string) => writeFileSync(path, Buffer.alloc(4096)),
    (path: string) => mkdirSync(join(path, 'inside'), { recursive: true }),
  ]) {
    const paths = statePaths(directoryFor(t));
    damage(paths.lock);
    damage(paths.holder);
    const held = lockStateDirectory(paths);
    writeFileSync(paths.holder, 'garbage');
    t.throws(() => lockStateDirectory(paths), { message: /another process holds it/u });
    held.release();
  }
});

test('a lock ends with the process that held it, however that ended', async (t) => {
  const paths = statePaths(directoryFor(t));
  const script = `import { lockStateDirectory } from ${JSON.stringify(new URL('../../master/state-lock.js', import.meta.url).href)};
    globalThis.held = lockStateDirectory(${JSON.stringify(paths)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  t.throws(() => lockStateDirectory(paths), {
    message: new RegExp(`process ${child.pid} holds it`, 'u'),
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  t.notThrows(() => lockStateDirectory(paths).release());
});

test('a state directory without keys says what to do', async (t) => {
  const paths = statePaths(directoryFor(t));
  await t.throwsAsync(requireInitialized(paths), { message: /run "master init" first/u });
});

test('flags win over the environment, and that over files', async (t) => {
  const directory = directoryFor(t);
  const file = join(directory, 'master.yaml');
  writeFileSync(file, 'listen: 1.1.1.1:1\nsocket: /file\nhistory:\n  days: 5\n');
  const config = await readMasterConfig({
    file,
    environment: { CONDUCTOR_MASTER_SOCKET: '/env', CONDUCTOR_MASTER_HISTORY_MEGABYTES: '7' },
    flags: { listen: '2.2.2.2:2', tree: undefined },
  });
  t.like(config, { listen: '2.2.2.2:2', socket: '/env', history: { days: 5, megabytes: 7 } });
  await t.throwsAsync(
    readMasterConfig({ file, environment: { CONDUCTOR_MASTER_SOKET: '/x' }, flags: {} }),
    {
      message: /CONDUCTOR_MASTER_SOKET: unknown setting, did you mean "CONDUCTOR_MASTER_SOCKET"\?/u,
    },
  );
  for (const listen of ['nowhere', '1.1.1.1', '1.1.1.1:99999', ':1'])
    await t.throwsAsync(readMasterConfig({ file, environment: {}, flags: { listen } }), {
      message: /--listen: listen: /u,
    });
  t.deepEqual(splitAddress('[::1]:4510'), { host: '::1', port: 4510 });
});

const inMarch = () => new Date('2026-03-01T00:00:00Z');

test('housekeeping forgets what is old', async (t) => {
  const store = await openSqliteStore(':memory:');
  const old = '2026-01-01T00:00:00.000Z';
  await store.invitations.add({
    tid: '1',
    secretHash: '2',
    idGlob: '*',
    groups: [],
    createdAt: old,
    expiresAt: old,
    usedBy: null,
  });
  await prune({ store, log: quiet, now: inMarch }, { days: 30, megabytes: 1 });
  t.is(await store.invitations.get('1'), null);
  await store.close();
});

test('history is pruned as soon as much has come since the last time', async (t) => {
  const store = await openSqliteStore(':memory:');
  const owed = ['x'.repeat(20_000)];
  const add = async (count: number) => {
    for (let n = 0; n < count; n += 1)
      await store.reports.add(report(uuidv7(), 'm1', { owed }), '2026-03-01T00:00:00.000Z');
  };
  const kept = async () => (await store.reports.withoutJob({ limit: 999 })).length;
  const tidy = () => trimIfDue({ store, log: quiet }, { megabytes: 1 });
  await add(3);
  await store.reports.prune({ receivedBefore: '', bytes: 50_000 });
  t.is(await kept(), 2);
  await add(2);
  await tidy();
  t.true(store.reports.bytesAdded() > 0, 'little has come');
  await add(60);
  await tidy();
  t.is(store.reports.bytesAdded(), 0);
  t.true((await kept()) < 53);
  await store.close();
});

test('a master whose clock is years ahead when it starts forgets nothing', async (t) => {
  const first = await testMaster(t);
  const { store } = first.master.services;
  const job = '019a0000-0000-7000-8000-000000000000';
  const later = '019a0000-0000-7000-8000-000000000001';
  for (const id of [job, later])
    await store.reports.add(report(id, 'm1'), '2016-01-01T00:00:00.000Z');
  const on = await first.restart();
  await until(() => on.log.some((line) => line.includes('Master ready')));
  t.not(await on.master.services.store.reports.get(job, 'm1'), null);
});

test('the log of a master holds no secret of an invitation', async (t) => {
  const on = await testMaster(t);
  const { out } = await on.cli('keys', 'invite');
  const secret = /\.([\w-]{43})@/u.exec(out[0] ?? '')?.[1] ?? 'none';
  t.not(secret, 'none');
  t.notRegex(on.log.join(''), new RegExp(secret, 'u'));
  t.false(readFileSync(join(on.directory, 'state', 'master.sqlite')).includes(secret));
});

test('settings of the command line are read or refused', (t) => {
  t.deepEqual(parseSettings(['a=1', 'b=x=y', 'c=true', 'd=[1,"z"]', 'e=', 'f=0644']), {
    a: 1,
    b: 'x=y',
    c: true,
    d: [1, 'z'],
    e: '',
    f: '0644',
  });
  for (const pair of ['a', '=1', 'a=[1']) t.throws(() => parseSettings([pair]));
});
