import { setTimeout as sleep } from 'node:timers/promises';
import { fromHex } from '../../protocol/bytes.ts';
import type { SigningKey } from '../../protocol/crypto.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { beginApply, sh, targetOf, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import { allHaveEnded, collectHistory } from './collect.ts';
import { openCourier } from './courier.ts';
import type { Courier, Disorder } from './courier.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, comesTo, MINION_STATE, openGates, shutGate } from './gates.ts';
import { judgeHistory } from './history.ts';
import { lackingAfterNextRun } from './next-run.ts';
import type { Random } from './random.ts';
import { CHANNEL_PORT, goBack, goBy } from './through-relay.ts';

/** All that is said of jobs, both ways, comes twice and more, late and in any order, over sessions that break in between. */
export const disorder: Fault = {
  name: 'what master and minion say of jobs comes twice, late and out of order',
  rounds: 20,
  usualMinutes: 4,
  isFast: false,
  run: deliverInDisorder,
};

const LATEST_MS = 3_000;
/** Long after everybody has forgotten it. */
const LATEST_AFTER_END_MS = 9_000;
/** Every so manieth job is cancelled. */
const CANCELLED = 5;

async function deliverInDisorder(setting: FaultSetting): Promise<string[]> {
  const { site, rounds, random, log } = setting;
  const since = Math.floor(Date.now() / 1000);
  const courier = await openCourier({
    host: site.fleet.gateway,
    master: `${site.conductor.address}:${CHANNEL_PORT}`,
    id: site.appserver.name,
    keys: await keysOf(site),
    disorder: disorderOf(random),
  });
  try {
    await goBy(site, [courier.address]);
    await untilOnline(site, ['appserver'], 120);
    const lost: string[] = [];
    for (let round = 1; round <= rounds; round += 1)
      lost.push(...(await applyOnce(setting, courier, round)));
    await until('all that is late to have come', 120, async () => courier.isDone());
    const { delivered, again, late } = courier.tally;
    log(`${delivered} messages, ${again} of them repeated or late, ${late} in a later session`);
    if (again < rounds * 10 || late === 0) lost.push(`there was too little disorder: ${again}`);
    await goBack(site);
    lost.push(...(await lackingAfterNextRun(site, VERSION + rounds)));
    return [...lost, ...judgeHistory(await collectHistory(site, since))];
  } finally {
    await courier.close();
  }
}

const VERSION = 1_000;

/** One job with new settings, in whose course the connection breaks; each fifth is cancelled where it stands. */
async function applyOnce(
  { site, random, log }: FaultSetting,
  courier: Courier,
  round: number,
): Promise<string[]> {
  const { appserver, conductor } = site;
  const isCancelled = round % CANCELLED === 0;
  await untilOnline(site, ['appserver'], 120);
  await askForVersion(site, VERSION + round);
  if (isCancelled) await shutGate(appserver, 'owed');
  const job = await beginApply(site, 'appserver');
  const isThere = !isCancelled || (await comesTo(appserver, 'owed', 60));
  if (isCancelled) await sh(conductor, `master jobs cancel ${job}`);
  await sleep(random.below(LATEST_MS));
  if (round % 2 === 0) courier.breakSession();
  await until('all jobs to end', 180, () => allHaveEnded(site));
  await openGates(appserver);
  const { state } = await targetOf(site, job);
  log(`round ${round}: the job is ${state}`);
  const expected = isCancelled ? 'cancelled' : 'changed';
  return [
    ...(isThere ? [] : [`round ${round}: the run did not come to its gate`]),
    ...(state === expected ? [] : [`round ${round}: the job is ${state}, not ${expected}`]),
  ];
}

function disorderOf(random: Random): Disorder {
  const anyTime = (): number => random.below(LATEST_MS);
  const jobs: ReadonlySet<string> = new Set(['job', 'cancel', 'report-stored']);
  const words: ReadonlySet<string> = new Set(['job-accepted', 'job-event', 'report']);
  return {
    toMaster: ({ type }) => (words.has(type) ? [anyTime(), anyTime(), anyTime()] : null),
    // The first is not late, so that it is the job that comes before what is said of it.
    toMinion: ({ type }) => (jobs.has(type) ? [0, anyTime(), 2 * anyTime()] : null),
    afterEnd: () => [anyTime(), random.below(LATEST_AFTER_END_MS), LATEST_AFTER_END_MS],
  };
}

async function keysOf({ conductor, appserver }: Site) {
  const ofMaster = '/var/lib/conductor/master/keys';
  return {
    root: await keyOf(conductor, `${ofMaster}/root.key`),
    identity: await keyOf(conductor, `${ofMaster}/identity.key`),
    minion: await keyOf(appserver, `${MINION_STATE}/keys/minion.key`),
  };
}

async function keyOf(host: Host, path: string): Promise<SigningKey> {
  const [hex = ''] = /[0-9a-f]{64}/u.exec(await host.read(path)) ?? [];
  return nodeCrypto.signingKey(fromHex(hex));
}
