import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { ALL_AT_ONCE } from '../../master/jobs/rollout.ts';
import { WebSocket } from 'ws';
import type { MinionStore } from '../../master/store/store.ts';
import { connectMaster } from '../../protocol/connect.ts';
import { factsSchema } from '../../protocol/messages.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import { ConductorError } from '../../shared/errors.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import { acceptedMinion, report, testMaster, testMinion, until } from './harness.ts';
import { TLS_CERTIFICATE, TLS_KEY } from './tls-pair.ts';

test('a stranger waits until its key is accepted, then it is let in', async (t) => {
  const on = await testMaster(t);
  t.is((await testMinion(t, on, { id: 'web-01' })).verdict, 'pending');
  const listed = await on.cli('keys', 'list', '--json');
  const [key] = JSON.parse(listed.out.join('')).keys;
  t.is(key.state, 'pending');

  const wrong = await on.cli('keys', 'accept', 'web-01', 'cdr1:wrong');
  t.is(wrong.code, 1);
  t.regex(wrong.err.join(), /its fingerprint is cdr1:/u);
  const right = await on.cli('keys', 'accept', 'web-01', key.fingerprint, '--group', 'web');
  t.deepEqual(right, {
    code: 0,
    out: ['web-01: accepted (web)'],
    err: ['warning: no top file names the group "web", and no other minion is in it'],
  });

  const minion = await testMinion(t, on, { id: 'web-01' });
  t.is(minion.verdict, 'accepted');
  await until(() => on.master.services.presence.get('web-01') !== null);
});

test('a join string lets one minion in, with its groups, and no second one', async (t) => {
  const on = await testMaster(t);
  const address = `127.0.0.1:${on.master.port}`;
  const { out } = await on.cli(
    'keys',
    'invite',
    '--id',
    'web-*',
    '-g',
    'web',
    '--address',
    address,
  );
  const joinString = out[0] ?? '';
  t.is((await testMinion(t, on, { id: 'db-01', seed: 1, joinString })).verdict, 'refused');
  t.is((await testMinion(t, on, { id: 'web-01', seed: 2, joinString })).verdict, 'accepted');
  t.is((await testMinion(t, on, { id: 'web-02', seed: 3, joinString })).verdict, 'refused');
  t.deepEqual((await on.master.services.store.minions.get('web-01'))?.groups, ['web']);
  t.notRegex(on.log.join(''), new RegExp(joinString.split('.')[2]?.split('@')[0] ?? 'x', 'u'));
});

test('a master that stops writes down who was there last before it closes its store', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const { minions } = on.master.services.store;
  const real: MinionStore = { ...minions };
  const noted: string[] = [];
  const noteSlowly: MinionStore['note'] = async (id, sighting) => {
    await sleep(100);
    await real.note(id, sighting);
    noted.push(id);
  };
  Object.assign(minions, { note: noteSlowly });
  await on.master.stop();
  t.deepEqual(noted, ['web-01']);
  t.notRegex(on.log.join(''), /Database connection is closed/u);
});

test('a thief of an id is denied, made to wait, and shown in the status', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  t.is((await testMinion(t, on, { id: 'web-01', seed: 99 })).verdict, 'refused');
  const status = JSON.parse((await on.cli('status', '--json')).out.join(''));
  t.regex(status.alarms[0].message, /claims to be "web-01"/u);
  t.not(on.master.services.presence.get('web-01'), null);
});

test('a stranger at the address of a minion cannot keep it away', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  t.is((await testMinion(t, on, { id: 'web-01', seed: 99 })).verdict, 'refused');
  await minion.leave();
  t.is((await testMinion(t, on, { id: 'web-01' })).verdict, 'accepted');
  t.is((await testMinion(t, on, { id: 'web-01', seed: 98 })).verdict, 'refused');
});

test('a new invitation ends the wait of a minion that came with a bad one', async (t) => {
  const on = await testMaster(t);
  const options = ['--id', 'web-*', '--address', `127.0.0.1:${on.master.port}`, '--json'];
  const invite = async () => (await on.cli('keys', 'invite', ...options)).out.join('');
  const { joinString } = JSON.parse(await invite());
  t.is((await testMinion(t, on, { id: 'web-01', joinString })).verdict, 'accepted');
  t.is((await testMinion(t, on, { id: 'web-02', seed: 44, joinString })).verdict, 'refused');
  const fresh = JSON.parse(await invite()).joinString;
  t.is(
    (await testMinion(t, on, { id: 'web-02', seed: 44, joinString: fresh })).verdict,
    'accepted',
  );
});

test('a revoked minion is gone at once and stays away', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  t.is((await on.cli('keys', 'reject', 'web-01')).out[0], 'web-01: revoked');
  t.is((await minion.ended).reason, 'revoked');
  for (const fingerprint of [[], ['cdr1:other']]) {
    const again = await on.cli('keys', 'accept', 'web-01', ...fingerprint, '--group', 'web');
    t.is(again.code, 1);
    t.regex(again.err[0] ?? '', /web-01": it is revoked; "master keys delete web-01" lets/u);
  }
  t.is((await testMinion(t, on, { id: 'web-01' })).verdict, 'refused');
  t.is((await on.cli('keys', 'accept', 'web-01')).code, 1);
  t.is((await on.cli('keys', 'delete', 'web-01')).code, 0);
  t.is((await testMinion(t, on, { id: 'web-01' })).verdict, 'pending');
});

test('what a revoked minion had to do is over at once', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const { jobs, store } = on.master.services;
  const request = { target: 'web-01', minions: ['web-01'], revision: 'a'.repeat(64) };
  const options = { stateFiles: [], params: {}, dryRun: false, timeoutSeconds: 60 };
  const how = { rollout: ALL_AT_ONCE, retryOf: null };
  const queued = await jobs.create({ ...request, ...options, ...how });
  const running = await jobs.create({ ...request, ...options, ...how });
  await jobs.accepted('web-01', running.id, { waiting: false });
  t.is((await on.cli('keys', 'reject', 'web-01')).code, 0);
  const error = { code: 'ENROLMENT_REFUSED' };
  t.like(await store.jobs.targets(queued.id), [{ state: 'cancelled', error }]);
  t.like(await store.jobs.targets(running.id), [{ state: 'interrupted', error }]);
});

test("nothing is kept of the progress of jobs that are not the minion's own", async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const { jobs } = on.master.services;
  const started = { event: 'started', number: 1, total: 2, id: 'a', type: 'b.c' } as const;
  await jobs.progressed('web-01', '019a0000-0000-7000-8000-000000000000', started);
  t.is(jobs.progressOf('019a0000-0000-7000-8000-000000000000', 'web-01'), null);
});

test('a session whose key has changed since the verdict ends by itself', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const { minions } = on.master.services.store;
  const real = { ...minions };
  const enrolThenRevoke: MinionStore['enrol'] = async (claim, judge) => {
    const enrolment = await real.enrol(claim, judge);
    await minions.change('web-01', { state: 'revoked' });
    return enrolment;
  };
  Object.assign(minions, { enrol: enrolThenRevoke });
  const again = await testMinion(t, on, { id: 'web-01' });
  t.is((await again.ended).reason, 'revoked');
});

test('a key that changes behind a session ends it with its next message', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await on.master.services.store.minions.change('web-01', { state: 'accepted', groups: ['x'] });
  await minion.send({ type: 'facts', facts: { os: 'Evil' } });
  t.is((await minion.ended).reason, 'failed');
  t.deepEqual((await on.master.services.store.minions.facts('web-01'))?.facts, { os: 'Debian' });
});

test('a new session takes the place of the old one; again and again is an alarm', async (t) => {
  const on = await testMaster(t);
  const first = await acceptedMinion(t, on, { id: 'web-01' });
  const second = await testMinion(t, on, { id: 'web-01' });
  t.is((await first.ended).reason, 'displaced');
  t.deepEqual([...on.master.services.alarms.list()], []);
  await testMinion(t, on, { id: 'web-01' });
  t.is((await second.ended).reason, 'displaced');
  await until(() => on.master.services.alarms.list().length > 0);
  t.regex(on.master.services.alarms.list()[0]?.message ?? '', /two machines may hold its key/u);
});

test('a minion gets its share and its pillar, and no blob of anybody else', async (t) => {
  const on = await testMaster(t, {
    'states/top.yaml': 'base:\n  web: [notes]\n  db: [other]\n',
    'states/notes.yaml': 'hello:\n  note.present: {text: "{{ pillar.greeting }}"}\n',
    'states/other.yaml': 'secret plan:\n  note.present: {}\n',
    'pillars/top.yaml': 'base:\n  web: [common]\n',
    'pillars/common.yaml': 'greeting: good morning\n',
  });
  const minion = await acceptedMinion(t, on, { id: 'm-01', groups: ['web'] });
  const ask = { type: 'prepare' as const, request: 1, revision: null, stateFiles: [] };
  await minion.send({ ...ask, have: { share: null, pillar: null } });
  const prepared = await minion.next('prepared');
  t.deepEqual(
    prepared.manifest?.map(({ path }) => path),
    ['states/notes.yaml', 'states/top.yaml'],
  );
  t.deepEqual(prepared.pillar?.value, { greeting: 'good morning' });
  t.deepEqual(prepared.groups, ['web']);

  const blobs = prepared.manifest?.map(({ sha256 }) => sha256) ?? [];
  await minion.send({ type: 'blobs', request: 2, sha256: blobs });
  const answer = await minion.next('blobs');
  t.deepEqual(
    answer.blobs.map((blob) =>
      createHash('sha256').update(Buffer.from(blob, 'base64')).digest('hex'),
    ),
    blobs,
  );

  const stored = join(on.directory, 'state', 'blobs', blobs[0] ?? '');
  writeFileSync(stored, Buffer.alloc(statSync(stored).size));
  await minion.send({ type: 'blobs', request: 5, sha256: blobs });
  t.deepEqual((await minion.next('blobs')).blobs, answer.blobs);
  await minion.send({ type: 'put-aside', files: ['owed.json.corrupt-1'] });
  await until(() => on.master.services.alarms.list().length === 2);
  t.deepEqual(
    on.master.services.alarms.list().map(({ minion, message }) => [minion, message]),
    [
      ['m-01', '"m-01" has put a damaged file aside: owed.json.corrupt-1'],
      ['master', `The master has found a damaged blob and removed it: ${stored}`],
    ],
  );

  const tree = await on.master.services.publisher.tree(prepared.revision);
  const foreign = tree.manifest.find(({ path }) => path === 'states/other.yaml')?.sha256 ?? '';
  await minion.send({ type: 'blobs', request: 3, sha256: [foreign] });
  t.like(await minion.next('refused'), { request: 3, error: { code: 'NOT_FOUND' } });

  const have = { share: prepared.share, pillar: prepared.pillarId };
  await minion.send({ ...ask, request: 4, have });
  t.like(await minion.next('prepared'), { request: 4, manifest: null, pillar: null });
});

test('a pillar that does not compile is refused with the whole text', async (t) => {
  const on = await testMaster(t, {
    'states/top.yaml': 'base: {}\n',
    'pillars/top.yaml': 'base:\n  web: [broken]\n',
    'pillars/broken.yaml': 'a: 1\nb: !sealed "AAAA"\n',
  });
  const minion = await acceptedMinion(t, on, { id: 'm-01', groups: ['web'] });
  const have = { share: null, pillar: null };
  await minion.send({ type: 'prepare', request: 1, revision: null, have, stateFiles: [] });
  const { error } = await minion.next('refused');
  t.is(error.code, 'TREE_INVALID');
  t.regex(error.message, /pillars\/broken\.yaml:2:12: /u);
});

test('a report of another minion costs the session', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await minion.send({ type: 'report', report: report(uuidv7(), 'web-02') });
  t.is((await minion.ended).reason, 'failed');
  t.is((await on.master.services.store.reports.latest()).size, 0);
});

test('a report is acknowledged once it is stored, and again when it comes again', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const job = uuidv7();
  for (let times = 0; times < 2; times += 1) {
    await minion.send({ type: 'report', report: report(job, 'web-01', { cause: 'refresh' }) });
    t.is((await minion.next('report-stored')).job, job);
  }
  t.is((await on.master.services.store.reports.latest()).get('web-01')?.whole?.cause, 'refresh');
});

test('ping tells who answers, who is silent and who is not there', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await acceptedMinion(t, on, { id: 'web-02', seed: 2 }).then((other) => other.leave());
  await until(() => on.master.services.presence.get('web-02') === null);
  const answering = minion
    .next('ping')
    .then(({ request }) => minion.send({ type: 'pong', request }));
  const { code, out } = await on.cli('ping', '-t', 'web-*', '--json');
  await answering;
  t.is(code, 3);
  const { minions } = JSON.parse(out.join(''));
  t.deepEqual(
    minions.map((each: { id: string; state: string }) => [each.id, each.state]),
    [
      ['web-01', 'answered'],
      ['web-02', 'offline'],
    ],
  );
});

test('an orderly stop tells the minions that the master will be back', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await on.master.stop();
  t.deepEqual(await minion.ended, { reason: 'restarting', by: 'them' });
});

test('only /minion is upgraded, and a flood of one address is turned away', async (t) => {
  const on = await testMaster(t);
  const attempt = (path: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${on.master.port}${path}`);
      socket.once('open', () => {
        socket.terminate();
        resolve('open');
      });
      socket.once('error', ({ message }) => resolve(message));
    });
  t.regex(await attempt('/other'), /404/u);
  t.is(await attempt('/minion'), 'open');
  const flood = await Promise.all(Array.from({ length: 60 }, () => attempt('/minion')));
  t.true(flood.some((answer) => answer.includes('503')));
  t.is(on.master.services.presence.list().length, 0);
});

test('garbage instead of a handshake ends one connection and nothing else', async (t) => {
  const on = await testMaster(t);
  const socket = new WebSocket(`ws://127.0.0.1:${on.master.port}/minion`);
  const closed = new Promise<number>((resolve) => socket.once('close', resolve));
  socket.once('open', () => socket.send(Buffer.alloc(500, 7)));
  t.is(await closed, 4400);
  t.is((await testMinion(t, on, { id: 'web-01' })).verdict, 'pending');
});

test('a peer that never takes its part in closing is cut off', async (t) => {
  const on = await testMaster(t);
  const socket = connect(on.master.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  const key = Buffer.alloc(16).toString('base64');
  const lines = ['GET /minion HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
  const more = ['Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`, '', ''];
  socket.write([...lines, ...more].join('\r\n'));
  await new Promise((resolve) => socket.once('data', resolve));
  // One masked binary frame with five bytes that are no handshake.
  socket.write(Buffer.from([0x82, 0x85, 0, 0, 0, 0, 1, 2, 3, 4, 5]));
  const begun = Date.now();
  socket.resume();
  await new Promise((resolve) => socket.once('close', resolve));
  t.true(Date.now() - begun < 10_000);
});

test('with a certificate the channel runs over TLS, and nothing else gets in', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-tls-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const tls = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  writeFileSync(tls.cert, TLS_CERTIFICATE);
  writeFileSync(tls.key, TLS_KEY);
  const on = await testMaster(t, {}, { tls });
  const url = `wss://localhost:${on.master.port}/minion`;
  const socket = new WebSocket(url, { ca: TLS_CERTIFICATE });
  t.teardown(() => socket.terminate());
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const { verdict } = await connectMaster(wireOf(socket), {
    crypto: nodeCrypto,
    pin: on.master.services.rootFingerprint,
    minimumSerial: 0n,
    id: 'web-01',
    identity: nodeCrypto.signingKey(new Uint8Array(32).fill(33)),
  });
  t.is(verdict, 'pending');
  await t.throwsAsync(testMinion(t, on, { id: 'web-01' }));
});

test('TLS files that cannot be read stop the start', async (t) => {
  const tls = { cert: '/nowhere/cert.pem', key: '/nowhere/key.pem' };
  await t.throwsAsync(testMaster(t, {}, { tls }), { message: /Cannot use the TLS files: ENOENT/u });
});

function nested(levels: number): unknown {
  return JSON.parse(`{"os":${'['.repeat(levels)}1${']'.repeat(levels)}}`);
}

test('facts that nest without an end are refused, and those that are shown do not', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await minion.send({ type: 'facts', facts: factsSchema.parse(nested(20)) });
  await until(async () => (await on.cli('facts', 'web-01')).out.length > 0);
  await minion.send({ type: 'facts', facts: factsSchema.parse(nested(1500)) });
  t.is((await minion.ended).reason, 'failed');
  const why = 'Cannot read a \\"facts\\" message: it nests more than 32 levels deep';
  await until(() => on.log.some((line) => line.includes(why)));
  t.is((await on.cli('facts', 'web-01')).code, 0);
});

const fullDisk = () =>
  Promise.reject(
    new ConductorError('HOST_FILE_FAILED', 'Cannot use the database: the disk is full'),
  );

test('a minion whose coming cannot be written down is not thought to be there, and raises no alarm', async (t) => {
  const on = await testMaster(t);
  const { store, presence, alarms } = on.master.services;
  const first = await acceptedMinion(t, on, { id: 'web-01' });
  await first.leave();
  await until(() => presence.get('web-01') === null);
  const sound = { ...store.minions };
  for (let turn = 0; turn < 3; turn += 1) {
    Object.assign(store.minions, { note: fullDisk });
    const minion = await testMinion(t, on, { id: 'web-01' });
    t.is((await minion.ended).reason, 'restarting');
    Object.assign(store.minions, sound);
    await until(() => presence.get('web-01') === null);
  }
  t.deepEqual(alarms.list(), []);
});

test('a report that a full disk does not take costs the minion its session, but is not held against it', async (t) => {
  const on = await testMaster(t);
  const { store } = on.master.services;
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  Object.assign(store.reports, { add: fullDisk });
  await minion.send({ type: 'report', report: report(uuidv7(), 'web-01') });
  const { reason, by } = await minion.ended;
  t.deepEqual({ reason, by }, { reason: 'restarting', by: 'them' });
});
