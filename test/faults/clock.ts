import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import {
  apply,
  attempt,
  beginApply,
  sh,
  targetOf,
  until,
  untilOnline,
} from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, comesTo, lackingOf, MINION_STATE, openGates, shutGate } from './gates.ts';
import { lackingAfterNextRun } from './next-run.ts';

/** Clocks that are ten years wrong when a daemon starts, or are set while a run is under way. */
export const wrongClock: Fault = {
  name: 'the clock of master or agent is ten years wrong, or is set in mid-run',
  rounds: 1,
  usualMinutes: 6,
  isFast: false,
  run: setClocks,
};

/** What programs with libfaketime go by, second by second; the clock that nobody sets is left alone. */
const OFFSET = '/etc/offset';
const LIBRARY = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const SETTING = `[Service]
Environment=LD_PRELOAD=${LIBRARY} FAKETIME_TIMESTAMP_FILE=${OFFSET} FAKETIME_CACHE_DURATION=1
Environment=FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
`;
const OFFSETS = ['+10y', '-10y'] as const;
const DAY_MS = 86_400_000;

interface Clock {
  readonly whose: 'agent' | 'master';
  readonly host: Host;
  readonly unit: string;
}

async function setClocks(setting: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = setting.site;
  const clocks = [
    { whose: 'agent', host: appserver, unit: 'conductor-minion' },
    { whose: 'master', host: conductor, unit: 'conductor-master' },
  ] as const;
  const lost: string[] = [];
  for (const clock of clocks) {
    await takeOver(clock);
    for (const offset of OFFSETS) lost.push(...(await startWith(setting, clock, offset)));
    for (const offset of OFFSETS) lost.push(...(await setInMidRun(setting, clock, offset)));
    await giveBack(setting.site, clock);
  }
  return lost;
}

async function takeOver({ host, unit }: Clock): Promise<void> {
  await sh(host, 'apt-get update --quiet=2 && apt-get install --yes --quiet=2 faketime');
  await host.write(OFFSET, '+0\n');
  await host.write(`/etc/systemd/system/${unit}.service.d/clock.conf`, SETTING);
  await sh(host, `systemctl daemon-reload; systemctl restart ${unit}`);
}

async function giveBack(site: Site, { host, unit }: Clock): Promise<void> {
  await sh(host, `rm /etc/systemd/system/${unit}.service.d/clock.conf; systemctl daemon-reload`);
  await sh(host, `systemctl restart ${unit}`);
  await untilOnline(site, ['appserver', 'conductor'], 120);
}

async function startWith({ site, random, log }: FaultSetting, clock: Clock, offset: string) {
  const { whose, host, unit } = clock;
  const version = 1_000 + random.below(1_000_000);
  log(`the ${whose} starts with ${offset}`);
  await host.write(OFFSET, `${offset}\n`);
  const begun = Math.floor(Date.now() / 1000);
  await sh(host, `systemctl restart ${unit}`);
  await untilOnline(site, ['appserver', 'conductor'], 120);
  await askForVersion(site, version);
  const { exitCode, job } = await apply(site, 'appserver');
  const lacking = await lackingOf(site.appserver, version);
  await sleep(20_000);
  const lost = [
    ...(exitCode === 0 ? [] : [`an apply exits with ${exitCode}`]),
    ...(lacking === null ? [] : [lacking]),
    ...(await insane(site, job)),
    ...(await stormsOrStarves(clock, site, begun)),
  ];
  return lost.map((loss) => `the ${whose} started with ${offset}: ${loss}`);
}

async function setInMidRun({ site, random, log }: FaultSetting, clock: Clock, offset: string) {
  const { whose, host, unit } = clock;
  const { appserver } = site;
  const version = 1_000 + random.below(1_000_000);
  log(`the clock of the ${whose} is set by ${offset} in mid-run`);
  await host.write(OFFSET, '+0\n');
  await sh(host, `systemctl restart ${unit}`);
  await untilOnline(site, ['appserver', 'conductor'], 120);
  await askForVersion(site, version);
  await shutGate(appserver, 'owed');
  const job = await beginApply(site, 'appserver');
  if (!(await comesTo(appserver, 'owed', 60)))
    return [`${offset}: the run did not come to its gate`];
  await host.write(OFFSET, `${offset}\n`);
  await sleep(15_000);
  await openGates(appserver);
  // A master whose clock is years ahead may have given it up: what the minion says then is believed.
  await until(
    'the job to have changed',
    90,
    async () => (await targetOf(site, job)).state === 'changed',
  );
  const lost = [...(await lackingAfterNextRun(site, version)), ...(await insane(site, job))];
  return lost.map((loss) => `the clock of the ${whose} set by ${offset}: ${loss}`);
}

const shownJob = z.object({
  targets: z.array(
    z.object({ report: z.object({ startedAt: z.string(), endedAt: z.string() }).nullable() }),
  ),
});

/** A run that has ended before it began, or has taken years. */
async function insane({ conductor }: Site, job: string): Promise<string[]> {
  const { stdout } = await attempt(conductor, ['master', 'jobs', 'show', job, '--json']);
  const report = shownJob.parse(JSON.parse(stdout)).targets[0]?.report ?? null;
  if (report === null) return ['there is no report'];
  const { startedAt, endedAt } = report;
  const took = Date.parse(endedAt) - Date.parse(startedAt);
  return took >= 0 && took < DAY_MS ? [] : [`its run went from ${startedAt} to ${endedAt}`];
}

/** By itself a minion makes up at most once what its clock makes it believe to have missed, and plans no more than a day ahead. */
async function stormsOrStarves({ whose, host }: Clock, { appserver }: Site, since: number) {
  const told = `journalctl --no-pager -o cat -u conductor-minion --since @${since}`;
  const starts = Number(await sh(appserver, `${told} | grep -c 'Run started' || true`));
  const next = await sh(appserver, `grep -o '"nextRefresh":"[^"]*"' ${MINION_STATE}/schedule.json`);
  const offset = (await host.read(OFFSET)).trim();
  const shift = { '+10y': 10, '-10y': -10 }[whose === 'agent' ? offset : ''] ?? 0;
  const now = Date.now() + shift * 365 * DAY_MS;
  const ahead = Date.parse(/20[^"]+/u.exec(next)?.[0] ?? '') - now;
  return [
    ...(starts > 2 ? [`${starts} runs began within half a minute`] : []),
    ...(ahead > -DAY_MS && ahead < (26 * DAY_MS) / 24
      ? []
      : [`the next refresh is planned for ${next}`]),
  ];
}
