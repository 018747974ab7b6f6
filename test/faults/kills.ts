import { attempt, apply, sh, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { allHaveEnded, collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import {
  askForVersion,
  comesTo,
  GATES,
  lackingOf,
  mainProcess,
  MINION_STATE,
  openGates,
  shutGate,
} from './gates.ts';
import { judgeHistory } from './history.ts';

/** `kill -9` of everything that takes part in a job, at every step that has a name and at moments in between. */
export const kills: Fault = {
  name: 'kill -9 of master, agent, run and command line',
  rounds: 200,
  usualMinutes: 45,
  parts: 4,
  isFast: false,
  run: killAround,
};

/** A few of them, for every test run. */
export const someKills: Fault = {
  ...kills,
  name: 'kill -9, a few',
  rounds: 3,
  usualMinutes: 1,
  parts: 1,
  isFast: true,
};

const VICTIMS = ['master', 'agent', 'run', 'command line'] as const;

type Victim = (typeof VICTIMS)[number];

const SETS: readonly [readonly Victim[], ...(readonly Victim[])[]] = [
  ['master'],
  ['agent'],
  ['run'],
  ['command line'],
  ['agent', 'run'],
  ['master', 'agent'],
  ['master', 'run'],
  ['master', 'agent', 'run', 'command line'],
];
const MOMENTS = [...GATES, 'any'] as const;
/** A run of the tree takes about so long on a slow machine. */
const LATEST_MS = 4_000;

async function killAround({ site, rounds, random, log }: FaultSetting): Promise<string[]> {
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const victims = SETS[(round - 1) % SETS.length] ?? SETS[0];
    const moment = random.oneOf(MOMENTS);
    const delay = random.below(LATEST_MS);
    const version = 1_000 + random.below(1_000_000);
    const title = `round ${round}: ${victims.join(' and ')} at ${moment === 'any' ? `${delay} ms` : `the gate "${moment}"`}`;
    log(title);
    const lacking = await killOnce(site, { victims, moment, delay, version });
    if (lacking !== null) lost.push(`${title}: ${lacking}`);
  }
  const history = await collectHistory(site, since);
  const stored = history.filter(({ what }) => what === 'committed').length;
  if (stored < 2 * rounds) lost.push(`only ${stored} reports were seen to be stored`);
  return [...lost, ...judgeHistory(history)];
}

interface Killing {
  readonly victims: readonly Victim[];
  readonly moment: (typeof MOMENTS)[number];
  readonly delay: number;
  readonly version: number;
}

/** One job with new settings, and a kill on its way. What is lacking once everything has come to rest. */
async function killOnce(site: Site, { victims, moment, delay, version }: Killing) {
  const { conductor, appserver } = site;
  await askForVersion(site, version);
  if (moment !== 'any') await shutGate(appserver, moment);
  const line = `master apply --target appserver --json >/root/cli.out 2>&1 </dev/null & echo $! >/root/cli.pid`;
  await sh(conductor, `setsid ${line}`);
  if (moment === 'any') await new Promise((resolve) => setTimeout(resolve, delay));
  else if (!(await comesTo(appserver, moment, 60))) return 'the run did not come to its gate';
  await Promise.all(victims.map((victim) => kill(site, victim)));
  await openGates(appserver);
  await until('all jobs to end', 180, () => allHaveEnded(site));
  await untilOnline(site, ['appserver', 'conductor'], 120);
  const next = await apply(site, 'appserver');
  if (next.exitCode !== 0) return `the next run exits with ${next.exitCode}`;
  const again = await apply(site, 'appserver');
  if (again.targets[0]?.report?.counts['changed'] !== 0) return 'a run after it changes something';
  return lackingOf(appserver, version);
}

async function kill({ conductor, appserver }: Site, victim: Victim): Promise<void> {
  if (victim === 'master')
    await sh(conductor, `kill -9 ${await mainProcess(conductor, 'conductor-master')}`);
  else if (victim === 'agent')
    await sh(appserver, `kill -9 ${await mainProcess(appserver, 'conductor-minion')}`);
  else if (victim === 'command line')
    await sh(conductor, 'kill -9 $(cat /root/cli.pid) 2>/dev/null || true');
  else {
    const pids = `grep -ho '"pid":[0-9]*' ${MINION_STATE}/jobs/*.json 2>/dev/null | cut -d: -f2`;
    await attempt(appserver, ['/bin/bash', '-c', `kill -9 $(${pids})`]);
  }
}
