import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { request } from 'node:http';
import { z } from 'zod';
import { attempt, sh, until } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { run } from '../hosts/command.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { mainProcess } from './gates.ts';
import { lagOf, lagWords, measureLag } from './lag.ts';
import { keyOf, minionName, tallySchema } from './swarm.ts';
import type { Tally } from './swarm.ts';
import { CHANNEL_PORT } from './through-relay.ts';

/** Many minions, simulated, lose their master at once and come back; `--rounds` says how many there are. */
export const manyMinions: Fault = {
  name: 'the master of many minions is killed (as many as rounds)',
  rounds: 1_000,
  usualMinutes: 4,
  isFast: false,
  load: 'measures',
  run: killTheirMaster,
};

const PROCESSES = 2;
/** Each of a master's minions has a way of its own to it; here a hundred addresses stand for that. */
const ADDRESSES = 100;
/** For as many as five thousand. */
const BACK_SECONDS = 90;
/** More than this and the master is deaf for too long. */
const LAG_MS = 500;

interface Member {
  readonly child: ChildProcess;
  tally: Tally;
}

type Swarm = readonly Member[];

async function killTheirMaster(setting: FaultSetting): Promise<string[]> {
  const { site, rounds: count, log } = setting;
  await measureLag(site);
  const swarm = await startSwarm(site, count);
  try {
    await until(
      'all to be connected',
      300 * thousands(count),
      async () => connectedIn(swarm) === count,
    );
    log(`${count} minions are connected; the event loop: ${lagWords(await lagOf(site))}`);
    const first = await beginJob(site);
    if (first === null) return ['no job could be made'];
    await until('half of them to have begun', 60, async () => begunIn(swarm, first) > count / 2);
    return await killOnce(setting, swarm, first);
  } finally {
    for (const { child } of swarm) child.kill();
  }
}

async function killOnce({ site, rounds: count, log }: FaultSetting, swarm: Swarm, first: string) {
  const { conductor } = site;
  await sh(conductor, `kill -9 ${await mainProcess(conductor, 'conductor-master')}`);
  const killed = Date.now();
  const seconds = (): number => Math.round((Date.now() - killed) / 1000);
  const made: string[] = [];
  await until('the master to make a job', 60, async () => {
    const job = await beginJob(site);
    if (job !== null) made.push(job);
    return job !== null;
  });
  log(`a job is made after ${seconds()} s, with ${connectedIn(swarm)} minions`);
  await until('all to be back', 300 * thousands(count), async () => connectedIn(swarm) === count);
  const back = seconds();
  const jobs = [first, ...made];
  await until('both jobs to end', 300 * thousands(count), async () => haveEnded(site, jobs));
  const lag = await lagOf(site);
  log(`all are back after ${back} s, and their jobs have ended after ${seconds()} s`);
  log(`the event loop of the new master: ${lagWords(lag)}`);
  for (const { tally } of swarm)
    for (const [problem, { times, last }] of Object.entries(tally.problems))
      log(`${times} times, last after ${last - Math.round(killed / 1000)} s: ${problem}`);
  const wrong = await Promise.all(jobs.map((job) => notOnce(site, swarm, { job, count })));
  return [
    ...wrong.flat(),
    ...(back > BACK_SECONDS * Math.max(1, count / 5_000)
      ? [`all are back only after ${back} s`]
      : []),
    ...(lag.p99 > LAG_MS ? [`the event loop of the master: ${lagWords(lag)}`] : []),
  ];
}

/** With more of them it may take so many times as long, with fewer no less. */
function thousands(count: number): number {
  return Math.max(1, count / 1_000);
}

function connectedIn(swarm: Swarm): number {
  return swarm.reduce((sum, { tally }) => sum + tally.connected, 0);
}

function begunIn(swarm: Swarm, job: string): number {
  return swarm.reduce((sum, { tally }) => sum + (tally.runs[job]?.once ?? 0), 0);
}

async function beginJob({ conductor }: Site): Promise<string | null> {
  const argv = ['master', 'apply', '--target', 'sim-*', '--detach', '--expires', '+1h'] as const;
  const { exitCode, stdout } = await attempt(conductor, argv);
  return exitCode === 0 ? stdout.trim() : null;
}

const shownJob = z.object({
  targets: z.array(z.object({ minion: z.string(), state: z.string() })),
});

async function statesOf({ conductor }: Site, job: string): Promise<string[]> {
  const { stdout } = await conductor.exec(['master', 'jobs', 'show', job, '--json']);
  return shownJob.parse(JSON.parse(stdout)).targets.map(({ state }) => state);
}

async function haveEnded(site: Site, jobs: readonly string[]): Promise<boolean> {
  const states = await Promise.all(jobs.map((job) => statesOf(site, job)));
  return states.flat().every((state) => !['queued', 'delivered', 'running'].includes(state));
}

async function notOnce(site: Site, swarm: Swarm, { job, count }: { job: string; count: number }) {
  const changed = (await statesOf(site, job)).filter((state) => state === 'changed').length;
  const tallies = swarm.map(({ tally }) => tally.runs[job] ?? { once: 0, more: 0 });
  const [once, more] = [sum(tallies.map((one) => one.once)), sum(tallies.map((one) => one.more))];
  return [
    ...(changed === count ? [] : [`job ${job} is changed on ${changed} of ${count}`]),
    ...(once === count ? [] : [`job ${job} was run once by ${once}, more often by ${more}`]),
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function startSwarm(site: Site, count: number): Promise<Swarm> {
  const { conductor, fleet } = site;
  const prefix = fleet.gateway.replace(/\.1$/u, '');
  const addresses = Array.from({ length: ADDRESSES }, (_, index) => `${prefix}.${100 + index}`);
  const [device] = devices.parse(
    JSON.parse((await run(['ip', '-json', 'address', 'show', 'to', fleet.gateway])).stdout),
  );
  const ifname = device?.ifname ?? '';
  for (const address of addresses)
    await run(['ip', 'address', 'add', `${address}/32`, 'dev', ifname]);
  const socket = `/proc/${conductor.leader}/root/run/conductor/master.sock`;
  for (let number = 0; number < count; number += 1) await addKey(socket, number);
  const { fingerprint } = statusSchema.parse(
    JSON.parse((await conductor.exec(['master', 'status', '--json'])).stdout),
  );
  return Array.from({ length: PROCESSES }, (_, index) => {
    const [from, to] = [index, index + 1].map((part) => Math.floor((part * count) / PROCESSES));
    const child = fork('test/faults/swarm.ts', { execArgv: ['--import', 'tsx'] });
    const url = `ws://${conductor.address}:${CHANNEL_PORT}/minion`;
    child.send({ url, pin: fingerprint, from, to, addresses });
    const member: Member = { child, tally: { connected: 0, runs: {}, problems: {} } };
    child.on('message', (tally) => {
      member.tally = tallySchema.parse(tally);
    });
    return member;
  });
}

const devices = z.array(z.object({ ifname: z.string() }));
const statusSchema = z.object({ fingerprint: z.string() });

/** As `master keys add`, of which a thousand would take minutes. */
function addKey(socketPath: string, number: number): Promise<void> {
  const publicKey = Buffer.from(keyOf(number).publicKey).toString('hex');
  const body = JSON.stringify({ id: minionName(number), publicKey, groups: [] });
  const headers = { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path: '/keys', method: 'POST', headers }, (answer) => {
      answer.resume();
      if (answer.statusCode === 200) answer.once('end', resolve);
      else reject(new Error(`a key was refused: ${answer.statusCode ?? 'no answer'}`));
    });
    asking.once('error', reject);
    asking.end(body);
  });
}
