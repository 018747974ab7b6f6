import test, { type ExecutionContext } from 'ava';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runConnection } from '../../minion/agent/agent.ts';
import { createCore } from '../../minion/agent/core.ts';
import { dial } from '../../minion/agent/dial.ts';
import { minionIdentity } from '../../minion/agent/identity.ts';
import type { StartChild } from '../../minion/agent/run-child.ts';
import { writeTrust } from '../../minion/agent/trust.ts';
import { minionConfigSchema } from '../../minion/config-schema.ts';
import { atRestKey, createAtRest } from '../../minion/host/at-rest.ts';
import { writeDurably } from '../../minion/host/durable-file.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { Wire } from '../../protocol/wire.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import { newStateDirectory, reportOf, silentLog } from '../minion/agent/fakes.ts';
import { randomFrom } from '../faults/random.ts';
import { acceptedMinion, report, runNext, statesOf, testMaster, until } from './harness.ts';
import type { TestMaster } from './harness.ts';

/** The agent's own core, sessions and files against a whole master: what is done and told once, whatever breaks in between. */

const atRest = createAtRest(nodeCrypto, atRestKey(nodeCrypto, new Uint8Array(32).fill(3)));

/** What an agent leaves behind when its process dies, and how often each of its runs was started. */
interface Machine {
  readonly stateDirectory: string;
  readonly starts: Map<string, number>;
}

/** Runs that only take a moment, and leave their report in the spool as real ones do. */
function startsOn({ starts, stateDirectory }: Machine): StartChild {
  return ({ options: { job } }, onEvent) => {
    starts.set(job, (starts.get(job) ?? 0) + 1);
    onEvent({ event: 'compiling' });
    const finish = async () => {
      await sleep(5);
      const path = join(stateDirectory, 'spool', `${job}.json`);
      writeDurably(path, JSON.stringify({ ...reportOf(job, 'changed'), minion: 'web-01' }));
      return { isOverdue: false };
    };
    return { pid: null, bornAt: null, ended: finish(), cancel: () => undefined };
  };
}

async function startAgent(machine: Machine, master: () => TestMaster['master'] | null) {
  const { stateDirectory } = machine;
  const stop = new AbortController();
  const wires: Wire[] = [];
  const core = createCore({
    minion: 'web-01',
    stateDirectory,
    atRest,
    startChild: startsOn(machine),
    readFacts: () => Promise.resolve({ os: 'Debian' }),
    log: silentLog,
    now: () => new Date(),
  });
  core.runs.recover();
  const connection = runConnection({
    core,
    config: minionConfigSchema.parse({ state_directory: stateDirectory }),
    minion: 'web-01',
    identity: await minionIdentity(nodeCrypto, stateDirectory),
    crypto: nodeCrypto,
    version: '1.2.3',
    intentions: () => ({ nextRefresh: null }),
    signal: stop.signal,
    random: () => 0,
    sleep: () => sleep(20),
    log: silentLog,
    dial: async () => {
      const wire = await dial(`127.0.0.1:${master()?.port ?? 1}`, null);
      wires.push(wire);
      return wire;
    },
  });
  return {
    core,
    /** Its connection is gone, without a word. */
    cut: () => wires.at(-1)?.terminate(),
    /** As a process that is killed: nothing is said, nothing is finished. */
    async end() {
      core.runs.stop();
      stop.abort();
      wires.at(-1)?.terminate();
      await connection;
    },
  };
}

async function machineOf(on: TestMaster): Promise<Machine> {
  const stateDirectory = newStateDirectory();
  const { services } = on.master;
  const pin = services.rootFingerprint;
  writeTrust(stateDirectory, { pin, serial: 0n, masters: ['m:1'] }, silentLog);
  const { publicKey } = await minionIdentity(nodeCrypto, stateDirectory);
  const at = new Date().toISOString();
  await services.store.minions.add({
    id: 'web-01',
    publicKey: Buffer.from(publicKey).toString('hex'),
    state: 'accepted',
    generation: 1,
    groups: [],
    createdAt: at,
    acceptedAt: at,
    acceptedBy: 'test',
    address: null,
    seenAt: null,
    version: null,
    nextRefresh: null,
  });
  return { stateDirectory, starts: new Map() };
}

function storedOnce(t: ExecutionContext, log: readonly string[], jobs: readonly string[]): void {
  const told = log.filter((line) => line.includes('Report stored'));
  const times = jobs.map((job) => told.filter((line) => line.includes(job)).length);
  t.deepEqual(
    times,
    jobs.map(() => 1),
  );
}

test('500 reports of a time without a master, in which the agent died twice, arrive once each, the oldest first', async (t) => {
  t.timeout(120_000);
  const on = await testMaster(t);
  const machine = await machineOf(on);
  const reach: { master: TestMaster['master'] | null } = { master: null };
  const jobs = Array.from({ length: 500 }, (_, index) => uuidv7(Date.now() - 500_000 + index));
  let agent = await startAgent(machine, () => reach.master);
  for (const [index, job] of jobs.entries()) {
    if (index === 150 || index === 400) {
      await agent.end();
      agent = await startAgent(machine, () => reach.master);
    }
    agent.core.spool.put({ ...reportOf(job, 'changed'), minion: 'web-01', cause: 'refresh' });
  }
  t.is(agent.core.spool.jobs().length, 500);
  reach.master = on.master;
  while (agent.core.spool.jobs().length > 0) await sleep(50);
  storedOnce(t, on.log, jobs);
  const order = on.log.filter((line) => line.includes('Report stored'));
  const positions = jobs.map((job) => order.findIndex((line) => line.includes(job)));
  t.deepEqual(
    positions,
    jobs.map((_, index) => index),
  );
  await agent.end();
});

test('jobs are run and reported once each over connections that break all the time', async (t) => {
  t.timeout(120_000);
  const on = await testMaster(t);
  const machine = await machineOf(on);
  const agent = await startAgent(machine, () => on.master);
  await until(() => on.master.services.presence.get('web-01')?.capabilities != null);
  const seed = Date.now() % 1_000_000;
  t.log(`seed ${seed}`);
  const random = randomFrom(seed);
  const jobs: string[] = [];
  for (let count = 0; count < 25; count += 1) {
    const { out, err } = await on.cli('apply', '-t', 'web-01', '--detach', '--expires', '+1h');
    t.regex(err.join('\n'), /^a target that is away gets it until \S+ \S+ \(.+\)$/u);
    jobs.push(out[0] ?? '');
    await sleep(random.below(60));
    agent.cut();
  }
  const states = async () =>
    (await Promise.all(jobs.map((job) => statesOf(on, job)))).map(({ 'web-01': state }) => state);
  // The agent waits longer and longer before it tries again.
  while (!(await states()).every((state) => state === 'changed')) await sleep(50);
  t.deepEqual([...machine.starts.keys()].toSorted(), jobs.toSorted());
  t.deepEqual([...new Set(machine.starts.values())], [1]);
  storedOnce(t, on.log, jobs);
  await agent.end();
});

test('what comes late, twice or in the wrong order changes nothing of how a job has ended', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  const { out } = await on.cli('apply', '-t', 'web-01', '--detach');
  const [job = ''] = out;
  await minion.next('job');
  await minion.send({ type: 'report', report: report(job, 'web-01') });
  await minion.send({ type: 'job-accepted', job, waiting: true });
  await minion.send({ type: 'job-event', job, event: { event: 'compiling' } });
  await minion.send({ type: 'report', report: report(job, 'web-01', { status: 'failed' }) });
  await minion.next('report-stored');
  await minion.next('report-stored');
  t.deepEqual(await statesOf(on, job), { 'web-01': 'changed' });
  t.is((await on.cli('jobs', 'watch', job)).code, 0);
  storedOnce(t, on.log, [job]);

  // The next session says that it still has it, as if the acknowledgement had been lost.
  const again = await acceptedMinion(t, on, { id: 'web-01' });
  await again.hello({ jobs: [job] });
  await again.send({ type: 'report', report: report(job, 'web-01') });
  await again.next('report-stored');
  t.deepEqual(await statesOf(on, job), { 'web-01': 'changed' });
  t.false(again.received.some(({ type }) => type === 'job'));
  storedOnce(t, on.log, [job]);
  const next = on.cli('apply', '-t', 'web-01');
  await runNext(again);
  t.is((await next).code, 0);
});
