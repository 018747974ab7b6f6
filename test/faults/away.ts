import { setTimeout as sleep } from 'node:timers/promises';
import {
  attempt,
  beginApply,
  sh,
  statusOf,
  targetOf,
  until,
  untilOnline,
} from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import { allHaveEnded, collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, comesTo, mainProcess, MINION_STATE, openGates, shutGate } from './gates.ts';
import { judgeHistory } from './history.ts';
import { lackingAfterNextRun } from './next-run.ts';

/** A master that is away for long, and peers that stand still: what minions do meanwhile arrives, once and with its own times. */
export const masterAway: Fault = {
  name: 'the master is away, and the agent is killed twice meanwhile',
  rounds: 500,
  usualMinutes: 10,
  isFast: false,
  run: reportsMeanwhile,
};

export const standingStill: Fault = {
  name: 'the master, or the agent, is stopped where it stands (SIGSTOP)',
  rounds: null,
  usualMinutes: 12,
  isFast: false,
  load: 'idle',
  run: stopEither,
};

/** As many local runs as there are rounds, each of which leaves a report. */
async function reportsMeanwhile({ site, rounds, log }: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = site;
  const since = Math.floor(Date.now() / 1000);
  await appserver.write('/root/away/states/top.yaml', 'base:\n  "*": [away]\n');
  await appserver.write(
    '/root/away/states/away.yaml',
    '/root/away.txt:\n  file.managed: {contents: away}\n',
  );
  await sh(conductor, 'systemctl stop conductor-master');
  for (let run = 1; run <= rounds; run += 1) {
    await sh(appserver, 'minion apply --tree /root/away >/dev/null');
    if (run === Math.ceil(rounds / 3) || run === Math.ceil((2 * rounds) / 3)) {
      log(`the agent is killed after ${run} runs`);
      await sh(appserver, `kill -9 ${await mainProcess(appserver, 'conductor-minion')}`);
    }
  }
  const spool = `${MINION_STATE}/spool`;
  const jobs = (await sh(appserver, `ls ${spool}`)).match(/[0-9a-f-]{36}(?=\.json)/gu) ?? [];
  const [first = ''] = jobs;
  const ends = await sh(appserver, `grep -o '"endedAt":"[^"]*"' ${spool}/${first}.json`);
  await sh(conductor, 'systemctl start conductor-master');
  await until(
    'the spool to be empty',
    180,
    async () => (await sh(appserver, `ls ${spool}`)) === '',
  );
  const lost = jobs.length < rounds ? [`${jobs.length} of ${rounds} reports were spooled`] : [];
  const shown = await sh(conductor, `master jobs show ${first} --json`);
  const [time = 'a time'] = /20[^"]+/u.exec(ends) ?? [];
  if (!shown.includes(time)) lost.push(`the first report does not say that it ended at ${time}`);
  return [...lost, ...(await notStoredOnce(conductor, jobs, since))];
}

async function notStoredOnce(conductor: Host, jobs: readonly string[], since: number) {
  const log = `journalctl --no-pager -o cat -u conductor-master --since @${since}`;
  const told = await sh(conductor, `${log} | grep 'Report stored'`);
  const times = new Map(jobs.map((job) => [job, told.split(job).length - 1]));
  return [...times].flatMap(([job, count]) =>
    count === 1 ? [] : [`the report of ${job} was stored ${count} times`],
  );
}

async function stopEither({ site, random, log, minutes }: FaultSetting): Promise<string[]> {
  const since = Math.floor(Date.now() / 1000);
  const seconds = 60 * Math.min(STILL_MINUTES, minutes);
  const lost: string[] = [];
  for (const whose of ['master', 'agent'] as const) {
    log(whose);
    const version = 1_000 + random.below(1_000_000);
    lost.push(
      ...(await stopOne(site, { whose, version, seconds })).map((loss) => `${whose}: ${loss}`),
    );
  }
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}

/** Far longer than a peer that says nothing is waited for. */
const STILL_MINUTES = 5;

interface Stop {
  readonly whose: 'master' | 'agent';
  readonly version: number;
  readonly seconds: number;
}

async function stopOne(site: Site, { whose, version, seconds }: Stop): Promise<string[]> {
  const { conductor, appserver } = site;
  const isMaster = whose === 'master';
  const [host, unit] = isMaster ? [conductor, 'conductor-master'] : [appserver, 'conductor-minion'];
  await askForVersion(site, version);
  await shutGate(appserver, 'owed');
  const job = await beginApply(site, 'appserver');
  if (!(await comesTo(appserver, 'owed', 60))) return ['the run did not come to its gate'];
  const pid = await mainProcess(host, unit);
  await sh(host, `kill -STOP ${pid}`);
  await openGates(appserver);
  const stopped = Date.now();
  if (!isMaster)
    await until('the master to notice', 90, async () => !(await isOnline(site, 'appserver')));
  await sleep(seconds * 1000 - (Date.now() - stopped));
  const lost = isMaster ? [] : await seenFromMaster(site, job);
  await sh(host, `kill -CONT ${pid}`);
  await untilOnline(site, ['appserver', 'conductor'], 120);
  await until('all jobs to end', 120, () => allHaveEnded(site));
  const { state } = await targetOf(site, job);
  if (state !== 'changed') lost.push(`the job is ${state}`);
  return [...lost, ...(await lackingAfterNextRun(site, version))];
}

/** An agent that says nothing is offline, and its job is neither lost nor over. */
async function seenFromMaster(site: Site, job: string): Promise<string[]> {
  const { state } = await targetOf(site, job);
  const argv = ['master', 'apply', '--target', 'appserver', '--dry-run'] as const;
  const { exitCode } = await attempt(site.conductor, argv);
  return [
    ...(state === 'running' ? [] : [`the job is ${state} while its agent stands still`]),
    ...(exitCode === 3 ? [] : [`an apply meanwhile exits with ${exitCode}`]),
  ];
}

async function isOnline(site: Site, minion: string): Promise<boolean> {
  const { minions } = await statusOf(site);
  return minions.some(({ id, online }) => id === minion && online);
}
