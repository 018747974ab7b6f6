import test from 'ava';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBlobCache } from '../../../minion/agent/blob-cache.ts';
import { createCore } from '../../../minion/agent/core.ts';
import { runConnection } from '../../../minion/agent/agent.ts';
import { minionIdentity } from '../../../minion/agent/identity.ts';
import { openJournal } from '../../../minion/agent/journal.ts';
import { keepLast, readLast } from '../../../minion/agent/last-revision.ts';
import { createLink } from '../../../minion/agent/link.ts';
import { openSpool } from '../../../minion/agent/spool.ts';
import { readTrust, writeTrust } from '../../../minion/agent/trust.ts';
import { minionConfigSchema } from '../../../minion/config-schema.ts';
import { atRestKey, createAtRest } from '../../../minion/host/at-rest.ts';
import { writeDurably } from '../../../minion/host/durable-file.ts';
import { makeCertificate } from '../../../protocol/certificate.ts';
import { acceptMinion } from '../../../protocol/connect.ts';
import type { MinionChannel } from '../../../protocol/connect.ts';
import { fingerprintOf } from '../../../protocol/fingerprint.ts';
import type { MasterMessage, MinionMessage } from '../../../protocol/messages.ts';
import { nodeCrypto } from '../../../protocol/node-crypto.ts';
import type { RunEvent } from '../../../protocol/report.ts';
import { uuidv7 } from '../../../shared/uuid.ts';
import { memoryWires } from '../../protocol/memory-wires.ts';
import {
  aHash,
  fakeChildren,
  journalEntry,
  linkTo,
  newStateDirectory,
  prepared,
  reportOf,
  silentLog,
} from './fakes.ts';

const crypto = nodeCrypto;
const root = crypto.signingKey(new Uint8Array(32).fill(1));
const masterKey = crypto.signingKey(new Uint8Array(32).fill(2));
const pin = fingerprintOf(crypto, root.publicKey);
const atRest = createAtRest(crypto, atRestKey(crypto, new Uint8Array(32).fill(3)));

type MessageOf<Type> = Extract<MinionMessage, { readonly type: Type }>;

/** A master that answers what it is told to answer. */
class FakeMaster {
  readonly got: MinionMessage[] = [];
  readonly blobs = new Map<string, Buffer>();
  channel: MinionChannel | null = null;
  serial = 1n;
  refuses = false;
  readonly dialled: string[] = [];
  /** Takes reports, and does not say so. */
  isDeaf = false;
  /** The connection breaks where an answer would be larger. */
  mostBytes = Number.POSITIVE_INFINITY;
  wire: Parameters<typeof acceptMinion>[0] | null = null;
  /** Handshakes that did not come to an end. */
  readonly failures: unknown[] = [];

  /** Adds a file to the share that it serves. */
  add(text: string): string {
    const bytes = Buffer.from(text);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.blobs.set(sha256, bytes);
    return sha256;
  }

  dial(name: string) {
    this.dialled.push(name);
    const { master, minion } = memoryWires();
    this.wire = master.wire;
    this.accept(master.wire).catch((error: unknown) => this.failures.push(error));
    return Promise.resolve(minion.wire);
  }

  async accept(wire: Parameters<typeof acceptMinion>[0]): Promise<void> {
    const certificate = makeCertificate(crypto, root, masterKey.publicKey, this.serial);
    const { channel } = await acceptMinion(wire, {
      crypto,
      certificate,
      identity: masterKey,
      decide: () => ({ verdict: 'accepted' }),
    });
    this.channel = channel;
    channel?.listen((message) => this.answer(message));
  }

  async answer(message: MinionMessage): Promise<void> {
    this.got.push(message);
    if (message.type === 'prepare') await this.send(this.prepared(message));
    if (message.type === 'report' && !this.isDeaf)
      await this.send({ type: 'report-stored', job: message.report.job });
    if (message.type === 'blobs') {
      const blobs = message.sha256.map((name) => this.blobs.get(name)?.toString('base64') ?? '');
      if (blobs.join('').length > this.mostBytes) return this.wire?.terminate();
      await this.send({ type: 'blobs', request: message.request, blobs });
    }
  }

  prepared({ request, have }: MessageOf<'prepare'>): MasterMessage {
    if (this.refuses)
      return { type: 'refused', request, error: { code: 'TREE_INVALID', message: 'no' } };
    const manifest = [...this.blobs].map(([sha256, { length: size }], index) => ({
      path: `states/${index}.yaml`,
      sha256,
      size,
      mode: '0644',
    }));
    const share = createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
    const { revision, groups, pillar } = prepared;
    return {
      type: 'prepared',
      request,
      revision,
      groups,
      share,
      manifest: have.share === share ? null : manifest,
      pillar: have.pillar === pillar.id ? null : pillar,
      pillarId: pillar.id,
    };
  }

  async send(message: MasterMessage): Promise<void> {
    await this.channel?.send(message);
  }

  job(change: Partial<Extract<MasterMessage, { type: 'job' }>['options']> = {}): string {
    const job = uuidv7();
    const options = {
      job,
      cause: 'job' as const,
      dryRun: false,
      stateFiles: [],
      params: {},
      timeoutSeconds: 60,
      ...change,
    };
    void this.send({ type: 'job', options, revision: aHash, expiresInSeconds: 600 });
    return job;
  }

  /** The messages of one type, when there are so many. */
  async wait<Type extends MinionMessage['type']>(
    type: Type,
    count = 1,
  ): Promise<MessageOf<Type>[]> {
    for (;;) {
      const found = this.got.filter((message): message is MessageOf<Type> => message.type === type);
      if (found.length >= count) return found;
      await sleep(5);
    }
  }
}

async function setup({
  stateDirectory = newStateDirectory(),
  master = new FakeMaster(),
  isJoined = true,
  settings = {},
  deliverMs = 600_000,
}: {
  stateDirectory?: string;
  master?: FakeMaster;
  isJoined?: boolean;
  settings?: Record<string, unknown>;
  deliverMs?: number;
} = {}) {
  if (isJoined) writeTrust(stateDirectory, { pin, serial: 0n, masters: ['m:1'] }, silentLog);
  const children = fakeChildren();
  const stop = new AbortController();
  const core = createCore({
    minion: 'web-01',
    stateDirectory,
    atRest,
    startChild: children.start,
    readFacts: () => Promise.resolve({ os: 'Debian' }),
    log: silentLog,
    now: () => new Date(),
  });
  const connection = runConnection({
    core,
    config: minionConfigSchema.parse({ state_directory: stateDirectory, ...settings }),
    minion: 'web-01',
    identity: await minionIdentity(crypto, stateDirectory),
    crypto,
    version: '1.2.3',
    intentions: () => ({ nextRefresh: '2026-01-01T00:00:00.000Z' }),
    signal: stop.signal,
    deliverMs,
    random: () => 0,
    log: silentLog,
    dial: (name) => master.dial(name),
  });
  const end = async (): Promise<void> => {
    stop.abort();
    await connection;
  };
  return { stateDirectory, master, children, core, connection, end };
}

const fullReport = (job: string) => reportOf(job, 'changed');

test('a job is accepted, prepared, run and reported, with what happened on the way', async (t) => {
  const { master, children, core, stateDirectory, end } = await setup();
  const first = master.add('base: 1\n');
  master.add('x'.repeat(300_000));
  const [hello] = await master.wait('hello');
  t.like(hello, { version: '1.2.3', facts: { os: 'Debian' }, jobs: [] });
  t.is(hello?.nextRefresh, '2026-01-01T00:00:00.000Z');

  const job = master.job();
  t.deepEqual(await master.wait('job-accepted'), [{ type: 'job-accepted', job, waiting: false }]);
  while (children.requests.length === 0) await sleep(5);
  const blobs = readdirSync(join(stateDirectory, 'blobs'));
  t.is(blobs.length, 2);
  const sealed = readFileSync(join(stateDirectory, 'blobs', first));
  t.is(Buffer.from(atRest.open(sealed) ?? []).toString(), 'base: 1\n');
  t.like(children.requests[0], {
    revision: aHash,
    minion: { id: 'web-01', groups: ['appserver'] },
  });

  const event: RunEvent = { event: 'compiled', total: 1 };
  children.emit(event);
  t.deepEqual(await master.wait('job-event'), [{ type: 'job-event', job, event }]);
  children.end('changed');
  const [report] = await master.wait('report');
  t.deepEqual(report?.report, fullReport(job));
  while (core.spool.has(job)) await sleep(5);
  t.deepEqual(readdirSync(join(stateDirectory, 'spool')), []);
  await master.wait('facts');
  await end();
  t.like(await master.channel?.ended, { reason: 'done', by: 'them' });
});

test('what the minion holds is not sent again, and a blob that was damaged is', async (t) => {
  const { master, children, stateDirectory, end } = await setup();
  const damaged = master.add('one');
  master.add('two');
  for (const round of [1, 2, 3]) {
    if (round === 3) writeFileSync(join(stateDirectory, 'blobs', damaged), 'other');
    await master.wait('hello');
    master.job();
    while (children.requests.length < round) await sleep(5);
    children.end('ok');
    await master.wait('report', round);
  }
  const asked = (await master.wait('blobs')).map(({ sha256 }) => sha256.length);
  t.deepEqual(asked, [2, 1]);
  const prepares = await master.wait('prepare', 3);
  t.is(prepares[0]?.have.share, null);
  t.truthy(prepares[1]?.have.share);
  t.is(prepares[1]?.have.pillar, prepared.pillar.id);
  t.deepEqual(children.requests[2]?.pillar, prepared.pillar);
  await end();
});

test('files come over connections that each carry only a few', async (t) => {
  const { master, children, end } = await setup();
  for (let number = 0; number < 12; number += 1) master.add(`${number}`.repeat(500_000));
  await master.wait('hello');
  master.mostBytes = 1_400_000;
  master.job();
  while (children.requests.length === 0) await sleep(5);
  const asked = (await master.wait('blobs')).map(({ sha256 }) => sha256.length);
  t.deepEqual(asked.slice(0, 3), [8, 2, 2]);
  t.is(asked.length, 8);
  children.end('ok');
  await end();
});

test('where no file gets through, the run says so', async (t) => {
  const { master, end } = await setup();
  master.add('large'.repeat(500_000));
  await master.wait('hello');
  master.mostBytes = 1_400_000;
  master.job();
  const [report] = await master.wait('report');
  t.regex(
    report?.report.error?.message ?? '',
    /the connection to the master broke 3 times in a row/u,
  );
  t.is((await master.wait('blobs')).length, 3);
  await end();
});

test('a pillar that does not compile is told by the report, and no run starts', async (t) => {
  const { master, children, end } = await setup();
  master.refuses = true;
  await master.wait('hello');
  const job = master.job();
  const [{ report } = { report: null }] = await master.wait('report');
  t.like(report, { job, status: 'failed', error: { code: 'TREE_INVALID', message: 'no' } });
  t.is(children.requests.length, 0);
  await end();
});

test('a master pauses and resumes a minion that has said it can', async (t) => {
  const { master, core, end } = await setup();
  const [hello] = await master.wait('hello');
  t.true(hello?.capabilities.includes('pause'));
  await master.send({ type: 'pause', seconds: 60, why: 'a look' });
  while (core.pauses.current() === null) await sleep(5);
  t.like(core.pauses.current(), { why: 'a look', by: 'master' });
  await master.send({ type: 'resume' });
  while (core.pauses.current() !== null) await sleep(5);
  await end();
});

test('a job that is sent again is accepted again and run once; cancel ends it; ping is answered', async (t) => {
  const { master, children, end } = await setup();
  await master.wait('hello');
  const job = master.job();
  while (children.requests.length === 0) await sleep(5);
  master.job({ job });
  const second = master.job();
  const accepted = await master.wait('job-accepted', 3);
  t.deepEqual(
    accepted.map(({ waiting }) => waiting),
    [false, false, true],
  );
  await master.send({ type: 'cancel', job });
  await master.send({ type: 'ping', request: 42 });
  t.deepEqual(await master.wait('pong'), [{ type: 'pong', request: 42 }]);
  t.deepEqual(children.cancelled, [job]);
  await master.send({ type: 'send-facts' });
  await master.wait('facts');
  children.end('cancelled');
  while (children.requests.length < 2) await sleep(5);
  t.is(children.requests[1]?.options.job, second);
  children.end('ok');
  await master.wait('report', 2);
  await end();
});

test('a job that is sent again after its report was stored is not run again, and says why it ended', async (t) => {
  const stateDirectory = newStateDirectory();
  const before = await setup({ stateDirectory });
  await before.master.wait('hello');
  const job = before.master.job();
  while (before.children.requests.length === 0) await sleep(5);
  before.children.end('changed');
  await before.master.wait('report');
  while (before.core.spool.has(job)) await sleep(5);
  before.master.job({ job });
  const [, second] = await before.master.wait('report', 2);
  t.like(second?.report, { job, status: 'interrupted', error: { code: 'RUN_LOST' } });
  t.is(before.children.requests.length, 1);
  while (before.core.spool.has(job)) await sleep(5);
  await before.end();

  const after = await setup({ stateDirectory });
  await after.master.wait('hello');
  after.master.job({ job });
  const [third] = await after.master.wait('report');
  t.like(third?.report, { job, status: 'interrupted' });
  t.is(after.children.requests.length, 0, 'also by an agent that has been started since');
  await after.end();
});

test('a report that no master has heard of waits, and goes out when one is back', async (t) => {
  const stateDirectory = newStateDirectory();
  const job = uuidv7();
  writeDurably(join(stateDirectory, 'spool', `${job}.json`), JSON.stringify(reportOf(job)));
  writeDurably(join(stateDirectory, 'spool', `${uuidv7()}.json`), '{"torn');
  const { master, core, end } = await setup({ stateDirectory });
  const [hello] = await master.wait('hello');
  t.true(hello?.jobs.includes(job));
  const [report] = await master.wait('report');
  t.is(report?.report.job, job);
  while (core.spool.has(job)) await sleep(5);
  t.is(
    readdirSync(join(stateDirectory, 'spool')).filter((name) => name.includes('corrupt')).length,
    1,
  );
  await end();
});

test('a lost session is followed by another, in which the run that went on is reported', async (t) => {
  const { master, children, end } = await setup();
  await master.wait('hello');
  const job = master.job();
  while (children.requests.length === 0) await sleep(5);
  await master.channel?.close('renewed');
  const [, second] = await master.wait('hello', 2);
  t.deepEqual(second?.jobs, [job]);
  children.end('ok');
  const [report] = await master.wait('report');
  t.is(report?.report.job, job);
  await end();
});

test('with several masters the next one is tried when one is lost, but not when it renews the session', async (t) => {
  const { master, end } = await setup({ settings: { master: ['a:1', 'b:1'] } });
  await master.wait('hello');
  await master.channel?.close('renewed');
  await master.wait('hello', 2);
  master.wire?.terminate();
  await master.wait('hello', 3);
  t.deepEqual(master.dialled, ['a:1', 'a:1', 'b:1']);
  await end();
});

test('without a master the last good revision is converged on; without that, the run says so', async (t) => {
  const { master, children, core, stateDirectory, end } = await setup();
  master.add('one');
  await master.wait('hello');
  master.job();
  while (children.requests.length === 0) await sleep(5);
  children.end('ok');
  await master.wait('report');
  await end();

  const alone = createCore({
    minion: 'web-01',
    stateDirectory,
    atRest,
    startChild: children.start,
    readFacts: () => Promise.resolve({}),
    log: silentLog,
    now: () => new Date(),
  });
  const ends: string[] = [];
  alone.refresh({ watcher: { event: () => undefined, end: (job) => ends.push(job) } });
  while (children.requests.length < 2) await sleep(5);
  t.like(children.requests[1], { revision: aHash, options: { cause: 'refresh', dryRun: false } });
  children.end('changed');
  while (ends.length === 0) await sleep(5);
  t.true(alone.spool.has(ends[0] ?? ''));
  t.false(core.link.isConnected);
  t.is(await core.link.connectedWithin(10), false);
});

test('what a certificate teaches is kept, and an older one is not believed any more', async (t) => {
  const master = new FakeMaster();
  master.serial = 7n;
  const { stateDirectory, end } = await setup({ master });
  await master.wait('hello');
  t.is(readTrust(stateDirectory, silentLog)?.serial, 7n);
  await end();
  const old = new FakeMaster();
  old.serial = 6n;
  const again = await setup({ stateDirectory, master: old, isJoined: false });
  while (old.failures.length === 0) await sleep(5);
  t.is(old.got.length, 0);
  await again.end();
});

test('a minion that has not joined does not connect, unless it may trust on first use', async (t) => {
  const { connection } = await setup({ isJoined: false });
  await t.throwsAsync(connection, { code: 'ENROLMENT_REFUSED', message: /minion join/u });

  const lab = await setup({
    isJoined: false,
    settings: { trust_on_first_use: true, master: 'm:1' },
  });
  await lab.master.wait('hello');
  t.is(readTrust(lab.stateDirectory, silentLog)?.pin, pin);
  await lab.end();
  const other = { pin: fingerprintOf(crypto, masterKey.publicKey), serial: 1n, masters: [] };
  t.throws(() => writeTrust(lab.stateDirectory, other, silentLog), { code: 'ENROLMENT_REFUSED' });
});

test('old blobs make room, but never those that are needed', async (t) => {
  const stateDirectory = newStateDirectory();
  const blobs = openBlobCache(stateDirectory, atRest, { maximumBytes: 400 });
  const names = [1, 2, 3, 4].map((fill) => {
    const bytes = Buffer.alloc(100, fill);
    const name = createHash('sha256').update(bytes).digest('hex');
    blobs.put(name, bytes);
    utimesSync(join(blobs.directory, name), fill, fill);
    return name;
  });
  await blobs.shrink(new Set(names.slice(0, 1)));
  t.deepEqual(
    names.map((name) => existsSync(join(blobs.directory, name))),
    [true, false, false, true],
  );
  t.throws(() => blobs.put(aHash, Buffer.from('x')), { code: 'MESSAGE_INVALID' });
});

test('a spool that is full drops its oldest reports, and says so', (t) => {
  const stateDirectory = newStateDirectory();
  const spool = openSpool({
    minion: 'web-01',
    stateDirectory,
    link: createLink(),
    log: silentLog,
    isUnfinished: () => false,
    maximumBytes: 700,
  });
  const jobs = [1, 2, 3].map((at) => uuidv7(at * 1000));
  for (const job of jobs) spool.put(reportOf(job));
  spool.deliver();
  t.false(spool.has(jobs[0] ?? ''));
  t.true(spool.has(jobs[2] ?? ''));
});

test('a report outlives any number of lost sessions; after five that the master ended for it others go first', async (t) => {
  const { stateDirectory, master, core, end } = await setup();
  await master.wait('hello');
  master.isDeaf = true;
  const job = uuidv7();
  core.spool.put(reportOf(job));
  core.spool.deliver();
  for (let sessions = 1; sessions <= 8; sessions += 1) {
    await master.wait('report', sessions);
    master.wire?.terminate();
  }
  t.true(core.spool.has(job));
  for (let sessions = 9; sessions <= 13; sessions += 1) {
    await master.wait('report', sessions);
    await master.channel?.close('failed');
  }
  await master.wait('hello', 14);
  t.deepEqual(readdirSync(join(stateDirectory, 'spool')), [`${job}.json`]);
  master.isDeaf = false;
  const other = uuidv7();
  core.spool.put(reportOf(other));
  core.spool.deliver();
  const reports = await master.wait('report', 14);
  t.is(reports.at(-1)?.report.job, other);
  while (core.spool.has(other)) await sleep(5);
  t.true(core.spool.has(job));
  await end();
});

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

/** A master that takes none but those that it is told to take; an hour is over at once. */
function refusing() {
  const sent: string[] = [];
  const time = { now: 0 };
  const stateDirectory = newStateDirectory();
  const spool = openSpool({
    minion: 'web-01',
    stateDirectory,
    link: linkTo((message) => message.type === 'report' && sent.push(message.report.job)),
    log: silentLog,
    isUnfinished: () => false,
    elapsed: () => time.now,
  });
  /** Which reports sessions sent that began so long after one another, and all failed. */
  const sessions = (count: number, everyMs: number): string[] => {
    sent.length = 0;
    for (let session = 0; session < count; session += 1) {
      time.now += everyMs;
      spool.deliver();
      spool.disconnected(true);
    }
    return [...sent];
  };
  return { spool, sessions, stateDirectory, time };
}

test('a report that the master does not take is sent every hour, and put aside if others were taken for days', (t) => {
  const { spool, sessions, stateDirectory, time } = refusing();
  const [hard, other] = [1, 2].map((at) => uuidv7(at * 1000));
  spool.put(reportOf(hard ?? ''));
  t.is(sessions(20, MINUTE).length, 5);
  t.is(sessions(120, MINUTE).length, 2);
  t.is(sessions(5 * 24, 61 * MINUTE).length, 5 * 24);
  t.true(spool.has(hard ?? ''), 'nobody knows that it is the report');
  spool.put(reportOf(other ?? ''));
  spool.deliver();
  spool.stored(other ?? '');
  t.true(spool.has(hard ?? ''));
  time.now += DAY;
  t.deepEqual(sessions(2, MINUTE), [hard]);
  t.false(spool.has(hard ?? ''));
  const left = readdirSync(join(stateDirectory, 'spool'));
  t.regex(left.join(), new RegExp(`^${hard}\\.json\\.corrupt-[^,]+$`, 'u'));
});

test('others were taken, but for less than days: it is not put aside; and one in memory never is', (t) => {
  const { spool, sessions } = refusing();
  const [hard, dry, other] = [1, 2, 3].map((at) => uuidv7(at * 1000));
  spool.put(reportOf(hard ?? ''));
  spool.put({ ...reportOf(dry ?? ''), dryRun: true });
  t.is(sessions(20, MINUTE).length, 10);
  spool.put(reportOf(other ?? ''));
  spool.deliver();
  spool.stored(other ?? '');
  sessions(2 * 24, 60 * MINUTE);
  t.deepEqual(spool.jobs().toSorted(), [hard, dry]);
  sessions(2 * 24, 60 * MINUTE);
  t.deepEqual(spool.jobs(), [dry]);
});

test('a session sends by itself what becomes due in it', async (t) => {
  const { stateDirectory, master, core, end } = await setup({ deliverMs: 20 });
  await master.wait('hello');
  const job = uuidv7();
  writeDurably(join(stateDirectory, 'spool', `${job}.json`), JSON.stringify(reportOf(job)));
  await master.wait('report');
  while (core.spool.has(job)) await sleep(5);
  t.pass();
  await end();
});

test('what the master has is not run again by the next agent, though this one never took it up', async (t) => {
  const stateDirectory = newStateDirectory();
  const { options, ...rest } = journalEntry();
  openJournal(stateDirectory, silentLog).put({ ...rest, options, starts: 1 });
  const path = join(stateDirectory, 'spool', `${options.job}.json`);
  writeDurably(path, JSON.stringify(reportOf(options.job)));
  const { master, core, end } = await setup({ stateDirectory });
  await master.wait('report');
  while (core.spool.has(options.job)) await sleep(5);
  const next = openJournal(stateDirectory, silentLog);
  t.deepEqual([next.all(), next.hasEnded(options.job)], [[], true]);
  await end();
});

test('a report of another id, which no master would take from this one, keeps no other back', async (t) => {
  const { stateDirectory, master, core, end } = await setup();
  const [of, own] = [1, 2].map((at) => uuidv7(at * 1000));
  core.spool.put({ ...reportOf(of ?? ''), minion: 'web-02' });
  core.spool.put(reportOf(own ?? ''));
  await master.wait('hello');
  core.spool.deliver();
  const [first] = await master.wait('report');
  t.is(first?.report.job, own);
  t.false(core.spool.has(of ?? ''));
  const left = readdirSync(join(stateDirectory, 'spool'));
  t.is(left.filter((name) => name.startsWith(`${of}.json.corrupt-`)).length, 1);
  await end();
});

test('in place of a report that is damaged comes one that says so, and it keeps no other back', async (t) => {
  const { stateDirectory, master, core, end } = await setup();
  const [strange, own] = [1, 2].map((at) => uuidv7(at * 1000));
  mkdirSync(join(stateDirectory, 'spool', `${strange}.json`, 'inside'), { recursive: true });
  core.spool.put(reportOf(own ?? ''));
  await master.wait('hello');
  core.spool.deliver();
  const [first] = await master.wait('report');
  t.like(first?.report, { job: strange, status: 'interrupted', error: { code: 'RUN_LOST' } });
  const told = await master.wait('put-aside');
  t.regex(told[0]?.files.join() ?? '', new RegExp(`^spool/${strange}\\.json\\.corrupt-`, 'u'));
  core.spool.stored(strange ?? '');
  while ((await master.wait('report')).length < 2) await sleep(5);
  t.is((await master.wait('report'))[1]?.report.job, own);
  t.false(core.spool.has(strange ?? ''));
  await end();
});

test('the last revision is sealed on disk, and one that is not whole is put aside and not believed', (t) => {
  const stateDirectory = newStateDirectory();
  const place = { stateDirectory, atRest, log: silentLog };
  t.is(readLast(place), null);
  const pillar = { ...prepared.pillar, value: { password: 'hunter2hunter2' } };
  keepLast(place, { ...prepared, pillar });
  t.deepEqual(readLast(place)?.pillar.value, pillar.value);
  const path = join(stateDirectory, 'revision.sealed');
  const sealed = readFileSync(path);
  t.false(sealed.includes('hunter2'));
  const other = createAtRest(crypto, atRestKey(crypto, new Uint8Array(32).fill(4)));
  for (const damage of [
    () => writeFileSync(path, sealed.subarray(0, -1)),
    () => writeFileSync(path, Buffer.alloc(sealed.length)),
    () => writeFileSync(path, ''),
    () => writeFileSync(path, other.seal(Buffer.from(JSON.stringify(prepared)))),
    () => writeFileSync(path, atRest.seal(Buffer.from('{"revision":"x"}'))),
    () => mkdirSync(path),
    () => (writeFileSync(path, sealed), chmodSync(path, 0o666)),
  ]) {
    rmSync(path, { force: true, recursive: true });
    damage();
    t.is(readLast(place), null);
    t.false(existsSync(path));
  }
  keepLast(place, prepared);
  t.deepEqual(readLast(place), prepared);
});

test('what an older version has kept in plain is sealed when it is first seen', async (t) => {
  const stateDirectory = newStateDirectory();
  const place = { stateDirectory, atRest, log: silentLog };
  writeDurably(join(stateDirectory, 'revision.json'), JSON.stringify(prepared));
  t.deepEqual(readLast(place), prepared);
  t.deepEqual(readdirSync(stateDirectory), ['revision.sealed']);

  const blobs = openBlobCache(stateDirectory, atRest);
  const name = createHash('sha256').update('plain').digest('hex');
  writeFileSync(join(blobs.directory, name), 'plain');
  t.true(await blobs.has(name));
  t.false(readFileSync(join(blobs.directory, name)).includes('plain'));
  t.true(await blobs.has(name));
});

test('whatever is in the place of a blob is none, and a new one takes its place', async (t) => {
  const stateDirectory = newStateDirectory();
  writeFileSync(join(stateDirectory, 'blobs'), 'not even a directory');
  const blobs = openBlobCache(stateDirectory, atRest);
  const name = createHash('sha256').update('x').digest('hex');
  const path = join(blobs.directory, name);
  for (const damage of [
    () => mkdirSync(join(path, 'inside'), { recursive: true }),
    () => writeFileSync(path, 'y'),
    () => writeFileSync(path, atRest.seal(Buffer.from('y'))),
  ]) {
    damage();
    t.false(await blobs.has(name));
    blobs.put(name, Buffer.from('x'));
    t.true(await blobs.has(name));
    rmSync(path);
  }
});

test('whom to believe is known from a copy if the file is damaged, and forgotten if it is removed', (t) => {
  const stateDirectory = newStateDirectory();
  writeTrust(stateDirectory, { pin, serial: 3n, masters: ['m:1'] }, silentLog);
  const path = join(stateDirectory, 'master.json');
  writeFileSync(path, '\0\0\0');
  const known = { pin, serial: 3n, masters: ['m:1'] };
  t.deepEqual(readTrust(stateDirectory, silentLog), known);
  t.deepEqual(readTrust(stateDirectory, silentLog), known);
  t.regex(readdirSync(stateDirectory).join(), /master\.json\.corrupt-/u);
  rmSync(path);
  t.is(readTrust(stateDirectory, silentLog), null);
});

test('a question is answered with a rejection when the session it was asked in ends', async (t) => {
  const link = createLink();
  await t.throwsAsync(link.ask({ type: 'blobs', sha256: [aHash] }), { code: 'CHANNEL_CLOSED' });
  await t.throwsAsync(link.send({ type: 'pong', request: 1 }), { code: 'CHANNEL_CLOSED' });
});
