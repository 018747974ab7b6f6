import { setTimeout as sleep } from 'node:timers/promises';
import { apply, beginApply, sh, statusOf } from '../e2e/installed-hosts.ts';
import { targetOf, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { publishLargeFiles } from './large-files.ts';
import type { Relay } from './relay.ts';
import { throughRelay } from './through-relay.ts';

/** A revision of 20 MB that takes the better part of an hour to cross a link of 8 kB/s with two seconds each way. */
export const slowLink: Fault = {
  name: 'a slow link, and a revision that it takes minutes to carry',
  rounds: null,
  usualMinutes: 62,
  isFast: false,
  load: 'idle',
  run: bringSlowly,
};

const BYTES_PER_SECOND = 8_000;
const LATENCY_MS = 2_000;
/** What files grow by on their way. */
const ENCODING = 4 / 3;
const FILE_BYTES = 250_000;
/** For 20 MB. */
const MINUTES = 56;
const LOOK_MS = 30_000;

function bringSlowly(setting: FaultSetting): Promise<string[]> {
  const { site } = setting;
  return throughRelay(site, async (relay) => {
    await untilOnline(site, ['appserver'], 120);
    // What it has by then is no part of what is measured.
    await apply(site, 'appserver');
    relay.treat({ kind: 'slow', bytesPerSecond: BYTES_PER_SECOND, latencyMs: LATENCY_MS });
    await sh(site.appserver, 'systemctl restart conductor-minion');
    await untilOnline(site, ['appserver'], 120);
    return bring(setting, relay);
  });
}

async function bring({ site, minutes: most, log }: FaultSetting, relay: Relay): Promise<string[]> {
  const minutes = Math.min(MINUTES, most);
  const files = Math.ceil((minutes * 60 * BYTES_PER_SECOND) / ENCODING / FILE_BYTES);
  const before = await timeOfOther(site);
  await publishLargeFiles(site, { count: files, bytes: FILE_BYTES });
  const connections = relay.connections;
  const begun = Date.now();
  const job = await beginApply(site, 'appserver');
  const lost: string[] = [];
  for (let state = 'queued'; ['queued', 'delivered', 'running'].includes(state);) {
    await sleep(LOOK_MS);
    const minute = ((Date.now() - begun) / 60_000).toFixed(1);
    ({ state } = await targetOf(site, job));
    const { minions } = await statusOf(site);
    const isOnline = minions.some(({ id, online }) => id === 'appserver' && online);
    const other = await timeOfOther(site);
    log(`minute ${minute}: ${state}, the other minion took ${other} ms (${before} before)`);
    if (!isOnline) lost.push(`after ${minute} minutes the minion is offline`);
    if (other > 5 * before + 5_000) lost.push(`the other minion took ${other} ms, not ${before}`);
    if (Number(minute) > 2 * minutes + 5)
      return [...lost, `after ${minute} minutes it is ${state}`];
  }
  const more = relay.connections - connections;
  if (more > 0) lost.push(`the connection broke ${more} times`);
  return [...lost, ...(await lackingAfter(site, job, files))];
}

async function timeOfOther(site: Site): Promise<number> {
  const begun = Date.now();
  const { exitCode } = await apply(site, 'conductor');
  if (exitCode !== 0) throw new Error(`an apply to the other minion exits with ${exitCode}`);
  return Date.now() - begun;
}

async function lackingAfter(site: Site, job: string, files: number): Promise<string[]> {
  const { state, error } = await targetOf(site, job);
  const there = await sh(site.appserver, `find /srv -name 'big-*' -size ${FILE_BYTES}c | wc -l`);
  return [
    ...(state === 'changed' ? [] : [`the job is ${state}: ${error?.message ?? 'no words'}`]),
    ...(there === String(files) ? [] : [`${there} of ${files} files are there`]),
  ];
}
