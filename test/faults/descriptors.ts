import { setTimeout as sleep } from 'node:timers/promises';
import { apply, attempt, sh } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import { collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, mainProcess } from './gates.ts';
import { judgeHistory } from './history.ts';
import { lackingAfterNextRun } from './next-run.ts';
import { CHANNEL_PORT } from './through-relay.ts';

/** The agent, or the master, can open no file and no connection any more, for a while. */
export const noDescriptors: Fault = {
  name: 'agent or master has no file descriptor left',
  rounds: 1,
  usualMinutes: 2,
  isFast: false,
  run: takeDescriptors,
};

/** Long enough for whoever gives up, or tries without end. */
const SHORT_MS = 20_000;

async function takeDescriptors({ site, rounds, random, log }: FaultSetting): Promise<string[]> {
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, one] of Object.entries({ ofAgent, ofMaster })) {
      log(name);
      const version = 1_000 + random.below(1_000_000);
      lost.push(...(await one(site, version)).map((loss) => `${name}: ${loss}`));
    }
  }
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}

/** So many more than it has; gives what undoes it for a process that is still the same. */
async function leave(more: number, host: Host, unit: string): Promise<() => Promise<void>> {
  const pid = await mainProcess(host, unit);
  const user = unit === 'conductor-master' ? 'conductor' : 'root';
  // As its own user: not even root of a test host may do so to others' processes.
  const as = `setpriv --reuid ${user} --regid ${user} --clear-groups`;
  const set = async (soft: number) => sh(host, `${as} prlimit --nofile=${soft}: --pid ${pid}`);
  const before = await sh(host, `grep 'open files' /proc/${pid}/limits | awk '{print $4}'`);
  const highest = await sh(host, `ls /proc/${pid}/fd | sort --numeric-sort | tail -n 1`);
  await set(Number(highest) + 1 + more);
  return async () => {
    // Whoever has ended meanwhile has begun again with what is usual.
    if ((await mainProcess(host, unit)) === pid) await set(Number(before));
  };
}

async function ofAgent(site: Site, version: number): Promise<string[]> {
  const { appserver } = site;
  await askForVersion(site, version);
  const restore = await leave(0, appserver, 'conductor-minion');
  const first = await apply(site, 'appserver', '--expires', '+60s');
  const said = JSON.stringify(first.targets[0]?.error ?? null);
  await restore();
  const lost = first.exitCode === 0 ? ['a run that cannot begin ends well'] : [];
  if (!/too many open files/u.test(said)) lost.push(`it says ${said} (${first.exitCode})`);
  return [...lost, ...(await lackingAfterNextRun(site, version))];
}

/** More connections that say nothing than there is room for. */
const IDLE = 40;

async function ofMaster(site: Site, version: number): Promise<string[]> {
  const { conductor, appserver } = site;
  await askForVersion(site, version);
  const restore = await leave(10, conductor, 'conductor-master');
  const open = `exec {idle}<>/dev/tcp/${conductor.address}/${CHANNEL_PORT}`;
  await sh(
    appserver,
    `systemd-run --quiet --collect --unit=idle /bin/bash -c 'for n in $(seq ${IDLE}); do ${open}; done; sleep 60'`,
  );
  await sleep(2_000);
  const asked = await attempt(conductor, ['timeout', '60', 'master', 'status']);
  await sh(appserver, 'systemctl restart conductor-minion');
  await sleep(SHORT_MS);
  await sh(appserver, 'systemctl stop idle');
  await restore();
  const lost = asked.exitCode === 124 ? ['whoever asks for its status waits for ever'] : [];
  if (asked.exitCode !== 0 && asked.output.trim() === '') lost.push('status says nothing');
  return [...lost, ...(await lackingAfterNextRun(site, version))];
}
