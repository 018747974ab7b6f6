import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalEntry } from '../../../minion/agent-files.ts';
import { openJournal } from '../../../minion/agent/journal.ts';
import { openDone } from '../../../minion/earlier-starts.ts';
import { createLink } from '../../../minion/agent/link.ts';
import type { Preparation } from '../../../minion/agent/prepare.ts';
import { ownCgroup } from '../../../minion/host/cgroup.ts';
import { writeDurably } from '../../../minion/host/durable-file.ts';
import { birthOf } from '../../../minion/host/process-birth.ts';
import { PATIENCE, startRunChild } from '../../../minion/agent/run-child.ts';
import type { Patience } from '../../../minion/agent/run-child.ts';
import { requestFor } from '../../../minion/agent/request-for.ts';
import { createRuns } from '../../../minion/agent/runs.ts';
import { createReserve } from '../../../minion/agent/reserve.ts';
import { openSpool } from '../../../minion/agent/spool.ts';
import { mastersOf, writeTrust } from '../../../minion/agent/trust.ts';
import { minionConfigSchema } from '../../../minion/config-schema.ts';
import { NOT_SPOOLED } from '../../../minion/agent-files.ts';
import type { MinionMessage } from '../../../protocol/messages.ts';
import { reportSchema } from '../../../protocol/report.ts';
import type { Outcome, Report, RunEvent } from '../../../protocol/report.ts';
import { uuidv7 } from '../../../shared/uuid.ts';
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

const isGrouped = process.geteuid?.() === 0 && 'directory' in ownCgroup();
const asGrouped = isGrouped ? test : test.skip;

interface Setting {
  readonly stateDirectory?: string;
  readonly preparation?: Preparation;
  readonly preparing?: Promise<Preparation>;
  readonly now?: () => Date;
  readonly children?: ReturnType<typeof fakeChildren>;
  readonly patience?: Patience;
  /** The master is there, and takes every report at once. */
  readonly isConnected?: boolean;
}

function setup({
  stateDirectory = newStateDirectory(),
  preparation = { status: 'prepared', prepared },
  preparing = Promise.resolve(preparation),
  now = () => new Date(),
  children = fakeChildren(),
  patience = PATIENCE,
  isConnected = false,
}: Setting = {}) {
  const sent: string[] = [];
  const take = (message: MinionMessage): void => {
    if (message.type !== 'report') return;
    const { job } = message.report;
    sent.push(job);
    runs.reported(job);
    spool.stored(job);
  };
  const spool = openSpool({
    minion: 'web-01',
    stateDirectory,
    link: isConnected ? linkTo(take) : createLink(),
    log: silentLog,
    isUnfinished: (job) => runs.isUnfinished(job),
  });
  const journal = openJournal(stateDirectory, silentLog);
  const ended: string[] = [];
  const events: RunEvent[] = [];
  const runs = createRuns({
    minion: 'web-01',
    stateDirectory,
    blobDirectory: join(stateDirectory, 'blobs'),
    journal,
    reserve: createReserve(),
    spool,
    preparer: { prepare: () => preparing },
    startChild: children.start,
    log: silentLog,
    now,
    patience,
    onEvent: (_entry, event) => events.push(event),
    onEnd: ({ options }) => {
      ended.push(options.job);
      spool.deliver();
    },
  });
  const report = (job: string): Report =>
    reportSchema.parse(
      JSON.parse(readFileSync(join(stateDirectory, 'spool', `${job}.json`), 'utf8')),
    );
  const journalled = (): JournalEntry[] => openJournal(stateDirectory, silentLog).all();
  const files = { stateDirectory, spool, journal, journalled };
  return { ...files, runs, children, ended, events, report, sent };
}

/** Lets everything that waits for nothing but promises happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await sleep(0);
}

test('that a run has started is on disk before its child exists, and gone when its report is', async (t) => {
  const { runs, children, ended, journalled, report, events } = setup({
    children: fakeChildren({ pid: process.pid, bornAt: birthOf(process.pid) }),
  });
  const entry = journalEntry();
  const { job } = entry.options;
  t.true(runs.add(entry));
  await settle();
  t.like(journalled()[0], { starts: 1, child: { pid: process.pid } });
  t.is(runs.running?.options.job, job);
  t.deepEqual(children.requests[0], {
    options: entry.options,
    minion: { id: 'web-01', groups: ['appserver'] },
    revision: aHash,
    manifest: [],
    pillar: prepared.pillar,
    blobDirectory: children.requests[0]?.blobDirectory ?? '',
    stateDirectory: children.requests[0]?.stateDirectory ?? '',
    masters: [],
  });
  children.emit({ event: 'compiling' });
  children.end('changed');
  await settle();
  t.deepEqual(events, [{ event: 'compiling' }]);
  t.deepEqual(ended, [job]);
  t.deepEqual(journalled(), []);
  t.is(report(job).status, 'changed');
  t.is(runs.running, null);
});

test('one run at a time; the others wait in order, and a job is taken once only', async (t) => {
  const { runs, children, ended } = setup();
  const entries = [journalEntry(), journalEntry(), journalEntry()];
  for (const entry of entries) t.true(runs.add(entry));
  await settle();
  const jobs = entries.map(({ options }) => options.job);
  t.is(children.requests.length, 1);
  t.true(runs.isWaiting(jobs[1] ?? ''));
  for (const entry of entries) t.false(runs.add(entry), 'known already');
  for (let turn = 0; turn < 3; turn += 1) {
    children.end('ok');
    await settle();
  }
  t.deepEqual(ended, jobs);
  t.false(runs.add(entries[0] ?? journalEntry()), 'its report is still here');
});

function changed(id: string): Outcome {
  return {
    key: `file.managed|${id}|${id}`,
    id,
    name: id,
    type: 'file.managed',
    place: 'states/one.yaml:1:1',
    status: 'changed',
    startedAt: '2026-01-01T00:00:00.000Z',
    milliseconds: 1,
  };
}

test('a child that dies without a report has its run started again, but not for ever', async (t) => {
  const { runs, children, report, journalled, stateDirectory } = setup();
  const entry = journalEntry();
  runs.add(entry);
  for (let start = 1; start <= 3; start += 1) {
    await settle();
    openDone(stateDirectory, entry.options.job).note(changed(`/srv/${start}`));
    t.is(children.requests.length, start);
    t.is(journalled()[0]?.starts, start);
    t.is(children.requests.at(-1)?.starts, start === 1 ? undefined : start);
    children.end(null);
  }
  await settle();
  t.is(children.requests.length, 3);
  const { status, error, outcomes } = report(entry.options.job);
  t.is(status, 'interrupted');
  t.deepEqual(
    outcomes.map(({ id }) => id),
    ['/srv/1', '/srv/2', '/srv/3'],
    'what it has changed is told all the same',
  );
  t.regex(error?.message ?? '', /3 starts have ended without a report/u);
  t.deepEqual(journalled(), []);
});

test('after a crash what was accepted is run, and what was reported is not', async (t) => {
  const first = setup();
  const [done, running, waiting] = [journalEntry(), journalEntry(), journalEntry()];
  first.runs.add(done);
  await settle();
  const stale = first.journalled()[0] ?? done;
  first.children.end('ok');
  await settle();
  first.runs.add(running);
  first.runs.add(waiting);
  await settle();
  // Killed here, after the child had spooled its report and before the journal knew.
  openJournal(first.stateDirectory, silentLog).put(stale);

  const second = setup({ stateDirectory: first.stateDirectory });
  second.runs.recover();
  await settle();
  t.is(second.children.requests[0]?.options.job, running.options.job);
  t.is(second.journalled()[0]?.starts, 2);
  second.children.end('ok');
  await settle();
  second.children.end('changed');
  await settle();
  t.deepEqual(
    second.ended,
    [done, running, waiting].map(({ options }) => options.job),
  );
  t.deepEqual(second.journalled(), []);
});

test('a child that has outlived its agent is waited for, not doubled', async (t) => {
  const orphan = spawn('sleep', ['60']);
  const pid = orphan.pid ?? 0;
  const entry = journalEntry({ starts: 1, child: { pid, bornAt: birthOf(pid) ?? '' } });
  const { stateDirectory, runs, children, ended } = setup();
  openJournal(stateDirectory, silentLog).put(entry);
  runs.recover();
  await sleep(100);
  t.is(children.requests.length, 0);
  writeFileSync(join(stateDirectory, 'elsewhere'), '');
  const other = fakeChildren();
  other.start({ ...requestOf(entry, stateDirectory) }, () => undefined);
  other.end('changed');
  orphan.kill();
  await once(orphan, 'exit');
  while (ended.length === 0) await sleep(50);
  t.is(children.requests.length, 0);
});

/** As the child of a run does, some time before it has ended. */
function spoolEarly(stateDirectory: string, { options: { job } }: JournalEntry): void {
  const path = join(stateDirectory, 'spool', `${job}.json`);
  writeDurably(path, JSON.stringify(reportOf(job, 'changed')));
}

test('a report goes out when its run has ended here: the run would begin again if the master had it before', async (t) => {
  const { stateDirectory, spool, runs, children, sent, ended, journalled } = setup({
    isConnected: true,
  });
  const [entry, dry] = [journalEntry(), journalEntry()];
  const dryRun = { ...dry, options: { ...dry.options, dryRun: true } };
  runs.add(entry);
  await settle();
  spoolEarly(stateDirectory, entry);
  spool.deliver();
  await settle();
  t.deepEqual(sent, []);
  children.end(null);
  await settle();
  t.deepEqual([sent, ended, journalled()], [[entry.options.job], [entry.options.job], []]);
  t.is(children.requests.length, 1);

  runs.add(dryRun);
  await settle();
  children.emit({ event: 'report', report: { ...reportOf(dry.options.job), dryRun: true } });
  spool.deliver();
  t.is(sent.length, 1);
  children.end(null);
  await settle();
  t.deepEqual(sent, [entry.options.job, dry.options.job]);
  t.is(children.requests.length, 2);
});

test('so does that of a child that has outlived its agent, also while others end', async (t) => {
  const orphan = spawn('sleep', ['60'], { stdio: 'ignore' });
  const { pid = 0 } = orphan;
  const { stateDirectory, spool, runs, children, sent, ended } = setup({ isConnected: true });
  const entry = journalEntry({ starts: 1, child: { pid, bornAt: birthOf(pid) ?? '' } });
  const busy = journalEntry({ queue: false });
  openJournal(stateDirectory, silentLog).put(entry);
  runs.recover();
  spoolEarly(stateDirectory, entry);
  spool.deliver();
  runs.add(busy);
  t.deepEqual(sent, [busy.options.job]);
  orphan.kill();
  while (ended.length < 2) await sleep(20);
  t.deepEqual(sent, [busy.options.job, entry.options.job]);
  t.is(children.requests.length, 0);
});

test('a spool that is full keeps the report of a run that is still to end', async (t) => {
  const { stateDirectory, runs } = setup();
  const entry = journalEntry();
  runs.add(entry);
  await settle();
  const spool = openSpool({
    minion: 'web-01',
    stateDirectory,
    link: createLink(),
    log: silentLog,
    isUnfinished: (job) => runs.isUnfinished(job),
    maximumBytes: 1,
  });
  const other = journalEntry();
  spoolEarly(stateDirectory, entry);
  spoolEarly(stateDirectory, other);
  spool.deliver();
  t.deepEqual(spool.jobs(), [entry.options.job]);
});

function requestOf(entry: JournalEntry, stateDirectory: string) {
  const { groups, revision, manifest, pillar } = prepared;
  return {
    options: entry.options,
    minion: { id: 'web-01', groups },
    revision,
    manifest,
    pillar,
    blobDirectory: stateDirectory,
    stateDirectory,
    masters: [],
  };
}

test('a run is told which masters it must not cut off, as they are known when it starts', (t) => {
  const known: string[] = [];
  const directory = newStateDirectory();
  const place = {
    minion: 'web-01',
    stateDirectory: directory,
    blobDirectory: directory,
    masters: () =>
      mastersOf(
        { ...minionConfigSchema.parse({}), master: known, state_directory: directory },
        silentLog,
      ),
  };
  t.deepEqual(requestFor(place, journalEntry(), prepared).masters, []);
  writeTrust(directory, { pin: aHash, serial: 1n, masters: ['joined:7000'] }, silentLog);
  t.deepEqual(requestFor(place, journalEntry(), prepared).masters, ['joined:7000']);
  known.push('wss://configured:7000');
  t.deepEqual(requestFor(place, journalEntry(), prepared).masters, ['wss://configured:7000']);
});

test('a pid that is another process by now is not waited for', async (t) => {
  const { stateDirectory, runs, children } = setup();
  const child = { pid: process.pid, bornAt: 'another-boot/1' };
  openJournal(stateDirectory, silentLog).put(journalEntry({ starts: 1, child }));
  runs.recover();
  await settle();
  t.is(children.requests.length, 1);
});

test('a waiting run is cancelled at once, a running one is asked to end', async (t) => {
  const { runs, children, ended, report } = setup();
  const [running, waiting] = [journalEntry(), journalEntry()];
  runs.add(running);
  runs.add(waiting);
  await settle();
  runs.cancel(waiting.options.job);
  t.deepEqual(ended, [waiting.options.job]);
  t.is(report(waiting.options.job).status, 'cancelled');
  runs.cancel(running.options.job);
  t.deepEqual(children.cancelled, [running.options.job]);
  children.end('cancelled');
  await settle();
  t.is(report(running.options.job).status, 'cancelled');
  runs.cancel('unknown');
});

test('a run that was cancelled while it was prepared never starts', async (t) => {
  const { runs, children, report } = setup();
  const entry = journalEntry();
  runs.add(entry);
  runs.cancel(entry.options.job);
  await settle();
  t.is(children.requests.length, 0);
  t.is(report(entry.options.job).status, 'cancelled');
});

test('a cancel does not wait for a master that is slow', async (t) => {
  const { runs, children, report, ended } = setup({ preparing: new Promise(() => undefined) });
  const entry = journalEntry();
  runs.add(entry);
  await settle();
  runs.cancel(entry.options.job);
  await settle();
  t.is(report(entry.options.job).status, 'cancelled');
  t.deepEqual(ended, [entry.options.job]);
  t.is(children.requests.length, 0);
});

test('a run that waits for another tells for which', async (t) => {
  const { runs, events } = setup({ children: fakeChildren({ pid: 4711, bornAt: 'x' }) });
  const [first, second] = [journalEntry(), journalEntry()];
  runs.add(first);
  await settle();
  runs.add(second);
  const [waiting] = events;
  t.like(waiting, { event: 'waiting', holder: { pid: 4711, job: first.options.job } });
});

test('a run that had to be killed when its time was over is not begun again', async (t) => {
  const { runs, children, report } = setup();
  const entry = journalEntry();
  runs.add(entry);
  await settle();
  children.emit({ event: 'started', number: 2, total: 3, id: 'slow', type: 'cmd.run' });
  children.end(null, { isOverdue: true });
  await settle();
  t.is(children.requests.length, 1);
  const { status, error } = report(entry.options.job);
  t.is(status, 'timeout');
  t.regex(error?.message ?? '', /killed at state 2 of 3, "slow" \(cmd\.run\)$/u);
});

test('a run that ignores its cancel says that it was killed, and where', async (t) => {
  const { runs, children, report } = setup();
  const entry = journalEntry();
  runs.add(entry);
  await settle();
  runs.cancel(entry.options.job);
  children.end(null);
  await settle();
  t.is(children.requests.length, 1);
  t.like(report(entry.options.job), { status: 'cancelled' });
  t.regex(report(entry.options.job).error?.message ?? '', /killed before its first state$/u);
});

test('a run of an agent before this one is cancelled by its process', async (t) => {
  const orphan = spawn('sleep', ['60'], { stdio: 'ignore' });
  const { pid = 0 } = orphan;
  const stateDirectory = newStateDirectory();
  const entry = journalEntry({ starts: 1, child: { pid, bornAt: birthOf(pid) ?? '' } });
  openJournal(stateDirectory, silentLog).put(entry);
  const { runs, children, report, ended } = setup({ stateDirectory });
  runs.recover();
  runs.cancel(entry.options.job);
  const [, signal]: unknown[] = await once(orphan, 'exit');
  t.is(signal, 'SIGTERM', 'what does not know the other signal would die of it');
  while (ended.length === 0) await sleep(20);
  t.is(report(entry.options.job).status, 'cancelled');
  t.is(children.requests.length, 0);
});

test('an operator cancels one that knows how by the signal that says so', async (t) => {
  const said = `process.on('SIGUSR2', () => process.exit(7)); console.log('ready'); setInterval(() => {}, 1000);`;
  const orphan = spawn(process.execPath, ['--eval', said]);
  await once(orphan.stdout, 'data');
  const { pid = 0 } = orphan;
  const stateDirectory = newStateDirectory();
  const entry = journalEntry({ starts: 1, child: { pid, bornAt: birthOf(pid) ?? '' } });
  openJournal(stateDirectory, silentLog).put(entry);
  const { runs, report, ended } = setup({ stateDirectory });
  runs.recover();
  runs.cancel(entry.options.job);
  const [exitCode]: unknown[] = await once(orphan, 'exit');
  t.is(exitCode, 7);
  while (ended.length === 0) await sleep(20);
  t.regex(report(entry.options.job).error?.message ?? '', /^The run was cancelled by an operator/u);
});

/** A run of an agent before this one that does nothing about any signal that it could do something about. */
function stuck(timeoutSeconds: number) {
  const orphan = spawn('sleep', ['60'], { stdio: 'ignore' });
  const { pid = 0 } = orphan;
  process.kill(pid, 'SIGSTOP');
  const { options, ...rest } = journalEntry();
  const child = { pid, bornAt: birthOf(pid) ?? '' };
  const stateDirectory = newStateDirectory();
  const entry = { ...rest, options: { ...options, timeoutSeconds }, starts: 1, child };
  openJournal(stateDirectory, silentLog).put(entry);
  return { orphan, stateDirectory, job: options.job };
}

test('a run of an agent before this one that goes on after its time is killed, and reported so', async (t) => {
  const { orphan, stateDirectory, job } = stuck(1);
  const patience = { overdueMs: 500, cancelledMs: 60_000 };
  const { runs, children, report, ended } = setup({ stateDirectory, patience });
  const begun = performance.now();
  runs.recover();
  const [, signal]: unknown[] = await once(orphan, 'exit');
  t.is(signal, 'SIGKILL');
  t.true(performance.now() - begun > 1000);
  while (ended.length === 0) await sleep(20);
  const { status, error } = report(job);
  t.is(status, 'timeout');
  t.regex(error?.message ?? '', /longer than 1 s .* killed at a state that the agent, .* has not/u);
  t.is(children.requests.length, 0);
});

test('one that does not end when it is cancelled is killed as well', async (t) => {
  const { orphan, stateDirectory, job } = stuck(60);
  const patience = { overdueMs: 60_000, cancelledMs: 100 };
  const { runs, children, report, ended } = setup({ stateDirectory, patience });
  runs.recover();
  runs.cancel(job);
  const [, signal]: unknown[] = await once(orphan, 'exit');
  t.is(signal, 'SIGKILL');
  while (ended.length === 0) await sleep(20);
  t.is(report(job).status, 'cancelled');
  t.is(children.requests.length, 0);
});

test('what has ended is remembered, also of dry runs and of entries that are damaged, but not for ever', (t) => {
  const stateDirectory = newStateDirectory();
  mkdirSync(join(stateDirectory, 'ended'));
  const journal = openJournal(stateDirectory, silentLog);
  const at = Date.parse('2026-01-01T00:00:00Z');
  const [dryRun, ...jobs] = Array.from({ length: 503 }, (_, index) => uuidv7(at + index));
  const [oldest = '', second = '', third = ''] = jobs;
  for (const job of jobs) {
    const entry = journalEntry();
    journal.put({ ...entry, options: { ...entry.options, job } });
  }
  journal.end(dryRun ?? '');
  rmSync(join(stateDirectory, 'jobs', `${oldest}.json`));
  mkdirSync(join(stateDirectory, 'jobs', `${oldest}.json`));
  for (const job of jobs) journal.end(job);
  t.deepEqual(journal.all(), []);
  const remembered = [dryRun ?? '', oldest, second, third].map((job) => journal.hasEnded(job));
  t.deepEqual(remembered, [true, false, false, true]);
  const next = openJournal(stateDirectory, silentLog);
  t.deepEqual([next.hasEnded(dryRun ?? ''), next.hasEnded(third)], [false, true]);
});

test('a run that the master refuses touches nothing, and says why', async (t) => {
  const error = { code: 'TREE_INVALID', message: 'pillars/a.yaml:1:1: no' };
  const { runs, children, report } = setup({ preparation: { status: 'refused', error } });
  const entry = journalEntry();
  runs.add(entry);
  await settle();
  t.is(children.requests.length, 0);
  t.like(report(entry.options.job), { status: 'failed', error, revision: aHash });
});

test('a job that waited until it expired is reported so; a clock that is wrong harms none', async (t) => {
  let now = new Date('2026-01-01T00:00:00Z');
  const { runs, children, report } = setup({ now: () => now });
  const receivedAt = now.toISOString();
  const first = journalEntry({ receivedAt, expiresAt: '2020-01-01T00:00:00.000Z' });
  const second = journalEntry({ receivedAt, expiresAt: '2026-01-01T00:10:00.000Z' });
  runs.add(first);
  runs.add(second);
  await settle();
  t.is(children.requests[0]?.options.job, first.options.job, 'it could start at once');
  now = new Date('2026-01-01T00:11:00Z');
  children.end('ok');
  await settle();
  t.is(children.requests.length, 1);
  t.like(report(second.options.job), { status: 'expired', error: { code: 'JOB_EXPIRED' } });
});

test('a run that was killed is not started again when its time is over', async (t) => {
  const receivedAt = '2026-01-01T00:00:00.000Z';
  const started = { receivedAt, expiresAt: '2026-01-01T00:10:00.000Z', starts: 1 };
  const late = new Date('2026-01-01T01:10:01Z');
  const { runs, children, report } = setup({ now: () => late });
  const entry = journalEntry({ ...started });
  runs.add(entry);
  await settle();
  t.is(children.requests.length, 0);
  t.like(report(entry.options.job), { status: 'interrupted', error: { code: 'RUN_LOST' } });

  const soon = setup({ now: () => new Date('2026-01-01T00:10:30Z') });
  soon.runs.add(journalEntry({ ...started }));
  await settle();
  t.is(soon.children.requests.length, 1, 'in its time it is');
});

test('more runs than can wait are refused with a report each', async (t) => {
  const { runs, ended, report } = setup();
  const entries = Array.from({ length: 40 }, () => journalEntry());
  for (const entry of entries) runs.add(entry);
  await settle();
  t.is(runs.waiting.length, 32);
  t.is(ended.length, 7);
  t.like(report(ended[0] ?? ''), { status: 'failed', error: { code: 'RUN_BUSY' } });
});

test('a run that may not wait is refused while another is under way, and runs if none is', async (t) => {
  const { runs, ended, report, children } = setup();
  const first = journalEntry({ queue: false });
  const second = journalEntry({ queue: false });
  runs.add(first);
  await settle();
  t.is(children.requests[0]?.queue, false, 'its child does not wait for a run of somebody else');
  t.true(runs.add(second));
  t.deepEqual(ended, [second.options.job]);
  const { error } = report(second.options.job);
  t.is(error?.code, 'RUN_BUSY');
  t.true(error?.message.includes(`the job ${first.options.job} is under way`));
});

/** Has the next attempt to write such a file fail, as on a full disk. */
function inTheWay(directory: string, job: string): void {
  mkdirSync(join(directory, `.${job}.json.new`), { recursive: true });
}

function readOnly(): never {
  throw new Error('the file system is read-only');
}

test('a report stands though the journal of its run cannot be ended, as where nothing can be written', async (t) => {
  const { runs, children, ended, report, journal } = setup();
  Object.assign(journal, { end: readOnly });
  const entry = journalEntry();
  runs.add(entry);
  await settle();
  children.end('changed');
  await settle();
  t.is(report(entry.options.job).status, 'changed');
  t.deepEqual(ended, [entry.options.job]);
});

test('a run that cannot be journalled is refused with a report, which waits in memory if it must', async (t) => {
  const { runs, ended, spool, stateDirectory, children } = setup();
  const { options } = journalEntry();
  inTheWay(join(stateDirectory, 'jobs'), options.job);
  inTheWay(join(stateDirectory, 'spool'), options.job);
  t.true(runs.add(journalEntry({ options })));
  await settle();
  t.is(children.requests.length, 0, 'nothing ran');
  t.deepEqual(ended, [options.job]);
  t.deepEqual(readdirSync(join(stateDirectory, 'spool')), [], 'nothing half written is left');
  t.like(spool.get(options.job), { status: 'failed', error: { code: 'HOST_FILE_FAILED' } });
  t.deepEqual(spool.jobs(), [options.job]);
  spool.stored(options.job);
  t.false(spool.has(options.job));
  t.is(spool.get(options.job), null);
  const next = journalEntry();
  runs.add(next);
  await settle();
  t.is(children.requests.length, 1, 'the next one runs');
});

test('a run whose process cannot be journalled is not let go of', async (t) => {
  const children = fakeChildren({ pid: process.pid, bornAt: birthOf(process.pid) });
  const { runs, ended, report, journalled } = setup({
    children: {
      ...children,
      start: (request, onEvent) => {
        inTheWay(join(request.stateDirectory, 'jobs'), request.options.job);
        return children.start(request, onEvent);
      },
    },
  });
  const entry = journalEntry();
  const { job } = entry.options;
  runs.add(entry);
  await settle();
  t.like(journalled()[0], { starts: 1, child: null });
  t.is(runs.running?.options.job, job);
  t.deepEqual(ended, []);
  runs.cancel(job);
  t.deepEqual(children.cancelled, [job]);
  children.end('cancelled');
  await settle();
  t.is(report(job).status, 'cancelled');
  t.deepEqual(ended, [job]);
});

test('a failure of the agent itself is reported as one', async (t) => {
  const { runs, report, stateDirectory } = setup({
    children: {
      ...fakeChildren(),
      start: () => {
        throw new Error('no processes left');
      },
    },
  });
  const entry = journalEntry();
  runs.add(entry);
  await settle();
  t.like(report(entry.options.job), { status: 'failed', error: { code: 'BUG' } });
  t.deepEqual(readdirSync(join(stateDirectory, 'jobs')), []);
});

/** A run child that is a script of its own. */
function scripted(script: string) {
  const stateDirectory = newStateDirectory();
  const program = join(stateDirectory, 'child.mjs');
  writeFileSync(program, script);
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => void events.push(event);
  const request = requestOf(journalEntry(), stateDirectory);
  const child = startRunChild({ program, onEvent, log: silentLog }, request);
  return { child, events, stateDirectory, request };
}

const built = (path: string) => new URL(`../../../minion/${path}.js`, import.meta.url).href;

asGrouped('whatever a killed run has hidden is gone when it has ended', async (t) => {
  const { child, stateDirectory } = scripted(`
    import { spawnSync } from 'node:child_process';
    import { readFileSync } from 'node:fs';
    import { enterRunGroup } from '${built('host/run-group')}';
    const { stateDirectory } = JSON.parse(readFileSync(0, 'utf8'));
    await enterRunGroup();
    const line = "(setsid sh -c 'echo $$ > " + stateDirectory + "/hidden; exec sleep 300' &)";
    spawnSync('/bin/sh', ['-c', line], { stdio: 'ignore' });
    while (!/\\n/.test(readFileSync(stateDirectory + '/hidden', { encoding: 'utf8', flag: 'a+' })));
    process.kill(process.pid, 'SIGKILL');
  `);
  t.deepEqual(await child.ended, { isOverdue: false });
  t.is(birthOf(Number(readFileSync(join(stateDirectory, 'hidden'), 'utf8'))), null);
});

test('a run child reads its request, and its events come through, what is none is left out', async (t) => {
  const { child, events, stateDirectory, request } = scripted(`
    import { readFileSync, writeFileSync } from 'node:fs';
    const request = JSON.parse(readFileSync(0, 'utf8'));
    console.log('{"event":"compiling"}');
    console.log('no json at all');
    console.log('{"event":"unknown"}');
    console.log('{"event":"compiled","total":3}');
    console.log('{"event":"report","report":{}}');
    writeFileSync(request.stateDirectory + '/got', request.options.job);
  `);
  t.is(typeof child.pid, 'number');
  t.truthy(child.bornAt);
  await child.ended;
  t.deepEqual(events, [{ event: 'compiling' }, { event: 'compiled', total: 3 }]);
  t.is(readFileSync(join(stateDirectory, 'got'), 'utf8'), request.options.job);
});

/** A run child that tells its report and ends so. */
async function ranUntil(exitCode: number) {
  const report = reportOf(journalEntry().options.job);
  const line = JSON.stringify({ event: 'report', report });
  const { child, events } = scripted(
    `console.log(${JSON.stringify(line)}); process.exitCode = ${String(exitCode)};`,
  );
  await child.ended;
  return { events, report };
}

test('a report that its run child could not spool comes from the child itself, and only then', async (t) => {
  const { events, report } = await ranUntil(NOT_SPOOLED);
  t.deepEqual(events, [{ event: 'report', report }]);
  t.deepEqual((await ranUntil(0)).events, []);
});

test('a run child that an operator ends is asked by USR2, in a process group of its own', async (t) => {
  const { child, events } = scripted(`
    process.on('SIGUSR2', () => { console.log('{"event":"compiled","total":9}'); process.exit(); });
    process.stdin.resume();
    console.log('{"event":"compiling"}');
    setInterval(() => {}, 1000);
  `);
  while (events.length === 0) await sleep(10);
  const group = Number(
    readFileSync(`/proc/${child.pid ?? 0}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ')[2],
  );
  t.is(group, child.pid ?? 0);
  child.cancel();
  await child.ended;
  t.deepEqual(events.at(-1), { event: 'compiled', total: 9 });
});

test('a run child that leaves its output open, or never reads, does not hold up the agent', async (t) => {
  const { child } = scripted(`
    import { spawn } from 'node:child_process';
    spawn('sleep', ['6'], { stdio: 'inherit', detached: true }).unref();
    process.exit(0);
  `);
  const begun = performance.now();
  await child.ended;
  t.true(performance.now() - begun < 5_500);
  t.true(existsSync('/proc/self'));
});
