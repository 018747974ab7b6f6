import { apply, beginApply, sh, targetOf, until, untilOnline } from '../e2e/installed-hosts.ts';
import type { Site } from '../e2e/installed-hosts.ts';
import { allHaveEnded, collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { askForVersion, lackingOf } from './gates.ts';
import { judgeHistory } from './history.ts';
import { publishLargeFiles } from './large-files.ts';
import type { Relay } from './relay.ts';
import { throughRelay, untilSaid } from './through-relay.ts';

/** A proxy between minion and master that resets connections, or answers in the master's place. */
export const badProxy: Fault = {
  name: 'a proxy between resets every connection after some bytes, or answers itself',
  rounds: 6,
  usualMinutes: 7,
  isFast: false,
  load: 'idle',
  run: goThroughProxy,
};

/** In the middle of the upgrade, of the handshake, of the first messages, and of a revision's files. */
const BYTES = [100, 400, 1_200, 3_000, 20_000, 700_000];
const LARGE = { count: 8, bytes: 500_000 };

const PAGE = '<html><body><h1>Please log in</h1></body></html>';
const ANSWERS = {
  'Unexpected server response: 200': page('200 OK'),
  'Unexpected server response: 502': page('502 Bad Gateway'),
} as const;

function page(status: string): string {
  const head = [`HTTP/1.1 ${status}`, 'Content-Type: text/html', 'Connection: close'];
  return [...head, `Content-Length: ${PAGE.length}`, '', PAGE].join('\r\n');
}

async function goThroughProxy(setting: FaultSetting): Promise<string[]> {
  const { site } = setting;
  const since = Math.floor(Date.now() / 1000);
  const lost = await throughRelay(site, async (relay) => [
    ...(await answered(setting, relay)),
    ...(await reset(setting, relay)),
  ]);
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}

async function answered({ site, log }: FaultSetting, relay: Relay): Promise<string[]> {
  const lost: string[] = [];
  for (const [words, text] of Object.entries(ANSWERS)) {
    log(`the proxy answers: ${words}`);
    const since = Math.floor(Date.now() / 1000);
    relay.treat({ kind: 'answer', text });
    await sh(site.appserver, 'systemctl restart conductor-minion');
    lost.push(...(await untilSaid(site, words, since)));
    relay.treat({ kind: 'pass' });
    await untilOnline(site, ['appserver'], 120);
  }
  return lost;
}

/** Each round has new files of the tree to bring, through connections that each carry so many bytes. */
async function reset(setting: FaultSetting, relay: Relay): Promise<string[]> {
  const { site, random, rounds, log } = setting;
  const lost: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const bytes = BYTES[round % BYTES.length] ?? 100;
    const version = 1_000 + random.below(1_000_000);
    await publishLargeFiles(site, LARGE);
    await askForVersion(site, version);
    relay.treat({ kind: 'reset', bytes });
    await sh(site.appserver, 'systemctl restart conductor-minion');
    const before = relay.connections;
    const loss = await applyMeanwhile(site, relay);
    log(
      `${bytes} bytes a connection: ${relay.connections - before} connections, ${loss ?? 'done'}`,
    );
    if (loss !== null) lost.push(`${bytes} bytes a connection: ${loss}`);
    const lacking = await lackingOf(site.appserver, version);
    if (lacking !== null) lost.push(`${bytes} bytes a connection: ${lacking}`);
  }
  return lost;
}

/** Where nothing gets through, the run is to say so, and the next one to do it; else it is to be done. */
async function applyMeanwhile(site: Site, relay: Relay): Promise<string | null> {
  const job = await beginApply(site, 'appserver', '--expires', '+80s');
  // Every connection brings a part, and the waits between them grow to a minute.
  await until('the job to end', 600, () => allHaveEnded(site));
  const { state, error } = await targetOf(site, job);
  relay.treat({ kind: 'pass' });
  // A connection that was made before would still be reset.
  await sh(site.appserver, 'systemctl restart conductor-minion');
  await untilOnline(site, ['appserver'], 120);
  const { exitCode } = await apply(site, 'appserver');
  if (exitCode !== 0) return `the run after it exits with ${exitCode}`;
  const isDone = state === 'changed' || state === 'ok';
  return isDone || (error?.message ?? '') !== '' ? null : `it is ${state}, and does not say why`;
}
