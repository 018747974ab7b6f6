import { setTimeout as sleep } from 'node:timers/promises';
import { beginApply, statusOf, targetOf, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { allHaveEnded } from './collect.ts';
import type { FaultSetting } from './fault.ts';
import { askForVersion, comesTo, openGates, shutGate } from './gates.ts';
import { lackingAfterNextRun } from './next-run.ts';

/** Something that goes wrong while a run is under way, and is put right again. */
export interface Disturbance {
  readonly name: string;
  /** How long it lasts. */
  readonly seconds: number;
  /** Whether the master can be asked meanwhile, and has to see that the minion is away. */
  readonly isSeen: boolean;
  begin(site: Site): Promise<void>;
  end(site: Site): Promise<void>;
}

/** Longer than either side takes to notice that the other is gone. */
const NOTICE_SECONDS = 70;
/** The longest wait between two attempts to connect, and what a connection takes. */
const RETURN_SECONDS = 90;

/** What is lost of a run that is disturbed between its new settings and the restart they ask for. */
export async function disturbRun(
  { site, random, log }: FaultSetting,
  disturbance: Disturbance,
): Promise<string[]> {
  const { name, seconds, isSeen } = disturbance;
  const { appserver } = site;
  const version = 1_000 + random.below(1_000_000);
  log(`${name}, for ${seconds} s`);
  await askForVersion(site, version);
  await shutGate(appserver, 'owed');
  const job = await beginApply(site, 'appserver');
  if (!(await comesTo(appserver, 'owed', 60))) return [`${name}: the run did not come to its gate`];
  await disturbance.begin(site);
  // What it says from here on is on its way when there is no way any more.
  await openGates(appserver);
  await sleep(seconds * 1000);
  const lost = isSeen && seconds > NOTICE_SECONDS ? await seenMeanwhile(site, job) : [];
  await disturbance.end(site);
  const mended = Date.now();
  await untilOnline(site, ['appserver', 'conductor'], RETURN_SECONDS);
  log(`back after ${Math.round((Date.now() - mended) / 1000)} s`);
  await until('all jobs to end', 120, () => allHaveEnded(site));
  lost.push(...(await lackingAfter(site, job, version)));
  return lost.map((loss) => `${name}: ${loss}`);
}

/** A minion that cannot be heard is offline, and its job neither lost nor over. */
async function seenMeanwhile(site: Site, job: string): Promise<string[]> {
  const { minions } = await statusOf(site);
  const isOnline = minions.some(({ id, online }) => id === 'appserver' && online);
  const { state } = await targetOf(site, job);
  return [
    ...(isOnline ? ['the minion is shown to be online'] : []),
    ...(state === 'running' ? [] : [`meanwhile the job is ${state}`]),
  ];
}

async function lackingAfter(site: Site, job: string, version: number): Promise<string[]> {
  const { state } = await targetOf(site, job);
  return [
    ...(state === 'changed' ? [] : [`the job is ${state}`]),
    ...(await lackingAfterNextRun(site, version)),
  ];
}
