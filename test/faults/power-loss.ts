import { attempt, sh } from '../e2e/installed-hosts.ts';
import type { Host } from '../hosts/host.ts';
import type { Fault, FaultSetting } from './fault.ts';

/**
 * A run that is killed, or told that the disk has failed, at one system call after the other: between writing and renaming,
 * between renaming and making that durable, between the journal and the change. The run is one of `minion apply`, which is what
 * the child of an agent does as well.
 */

const TREE = '/root/cut';
const PLACE = '/srv/cut';
const CALLS = 'rename,renameat,renameat2,fsync,fdatasync,unlink,unlinkat,fchmod,fchown,mkdir';
const FILES = [1, 2, 3];
/** No longer than this, so that a run which hangs is seen. */
const LIMIT_MS = 90_000;

export const powerLoss: Fault = {
  name: 'a run is killed at each system call that changes a file',
  rounds: 1_000,
  usualMinutes: 8,
  isFast: false,
  run: killAtCalls,
};

export const somePowerLoss: Fault = {
  ...powerLoss,
  name: 'a run is killed at a few system calls that change files',
  rounds: 4,
  usualMinutes: 1,
  isFast: true,
};

export const failingDisk: Fault = {
  name: 'the disk fails, or is full, at each system call that changes a file',
  rounds: 1_000,
  usualMinutes: 3,
  isFast: false,
  run: failAtCalls,
};

interface Moment {
  readonly call: string;
  readonly number: number;
}

async function killAtCalls(setting: FaultSetting) {
  const { site, random, log } = setting;
  const { appserver } = site;
  await makePlace(appserver);
  const moments = await momentsOf(appserver);
  const rounds = roundsFor(setting, moments);
  const lost: string[] = [];
  let kills = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const { call, number } = chosen(moments, { round, rounds, random });
    const title = `${call} ${number}`;
    log(`round ${round} of ${rounds}: killed at ${title}, of ${moments.length} moments`);
    await askFor(appserver, round);
    const { exitCode } = await traced(appserver, `inject=${call}:signal=KILL:when=${number}`);
    if (exitCode === 137) kills += 1;
    const torn = await tornOf(appserver, round);
    lost.push(
      ...[...torn, ...(await recovery(appserver, round))].map((what) => `${title}: ${what}`),
    );
  }
  if (kills * 2 < rounds) lost.push(`only ${kills} of ${rounds} runs were killed`);
  return lost;
}

async function failAtCalls(setting: FaultSetting) {
  const { site, random, log } = setting;
  const { appserver } = site;
  await makePlace(appserver);
  const moments = (await momentsOf(appserver)).filter(({ call }) => /rename|sync/u.test(call));
  const rounds = roundsFor(setting, moments);
  const lost: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const { call, number } = chosen(moments, { round, rounds, random });
    const code = round % 2 === 0 ? 'EIO' : 'ENOSPC';
    const title = `${call} ${number} fails with ${code}`;
    log(`round ${round} of ${rounds}: ${title}`);
    await askFor(appserver, round);
    const { exitCode, output } = await traced(
      appserver,
      `inject=${call}:error=${code}:when=${number}`,
    );
    const words = code === 'EIO' ? 'the disk has failed' : 'the disk is full';
    // What only tells of changes may fail, and is told; a change itself may not.
    const undone = exitCode === 0 ? await oldOf(appserver, round) : [];
    lost.push(...undone.map((what) => `${title}: the run exits with 0, and ${what}`));
    if (!output.includes(words))
      lost.push(`${title}: it does not say "${words}": ${output.slice(-300)}`);
    const torn = await tornOf(appserver, round);
    lost.push(
      ...[...torn, ...(await recovery(appserver, round))].map((what) => `${title}: ${what}`),
    );
  }
  return lost;
}

/** Each moment once, or fewer where fewer are asked for. */
function roundsFor({ rounds, haveRounds }: FaultSetting, moments: readonly Moment[]): number {
  const fewer = Math.min(rounds, moments.length);
  haveRounds?.(fewer);
  return fewer;
}

/** Evenly spread where there are more moments than rounds. */
function chosen(
  moments: readonly Moment[],
  { round, rounds, random }: { round: number; rounds: number; random: FaultSetting['random'] },
): Moment {
  const step = Math.max(1, Math.floor(moments.length / rounds));
  const index = moments.length > rounds ? (round - 1) * step + random.below(step) : round - 1;
  const moment = moments[index % moments.length];
  if (moment === undefined) throw new Error('strace saw no call that changes a file');
  return moment;
}

async function makePlace(host: Host): Promise<void> {
  const install = 'DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 strace';
  await sh(host, `command -v strace || (apt-get update --quiet=2 && ${install})`);
  await sh(host, `rm -rf ${PLACE} ${TREE}; mkdir -p ${TREE}/states ${TREE}/pillars`);
  await host.write(`${TREE}/states/top.yaml`, 'base:\n  "*": [cut]\n');
  await askFor(host, 0);
  const first = await plain(host);
  if (first.exitCode !== 0)
    throw new Error(`the first run exits with ${first.exitCode}: ${first.output}`);
}

/** Another content for every file, one of them secret, and a reaction to one of them. */
async function askFor(host: Host, version: number): Promise<void> {
  const files = FILES.map(
    (number) =>
      `${PLACE}/file${number}:\n  file.managed: {contents: "${contentOf(number, version).trimEnd()}", mode: "0${modeOf(number)}", watch_in: [{cmd: told}]}\n`,
  );
  await host.write(
    `${TREE}/states/cut.yaml`,
    `${PLACE}:\n  file.directory: {mode: "0755"}\n${files.join('')}` +
      `${PLACE}/link:\n  file.symlink: {target: "file${(version % 2) + 1}"}\n` +
      `told:\n  cmd.wait: {name: "sha256sum ${PLACE}/file? >/root/told"}\n`,
  );
}

function contentOf(number: number, version: number): string {
  return `${`${number} of ${version} `.repeat(500 * number).trimEnd()}\n`;
}

function modeOf(number: number): string {
  return number === 1 ? '600' : '640';
}

const APPLY = `minion apply --tree ${TREE}`;

async function plain(host: Host) {
  return attempt(host, ['/bin/bash', '-c', `exec ${APPLY}`], { timeoutMs: LIMIT_MS });
}

async function traced(host: Host, inject: string) {
  const strace = `strace -f -qq -o /dev/null -e trace=${CALLS} -e ${inject}`;
  return attempt(host, ['/bin/bash', '-c', `exec ${strace} ${APPLY}`], { timeoutMs: LIMIT_MS });
}

/** Every call of an apply that changes something, counted as strace counts them: by process. */
async function momentsOf(host: Host): Promise<Moment[]> {
  await askFor(host, -1);
  const strace = `strace -f -qq -o /root/calls -e trace=${CALLS}`;
  await sh(host, `${strace} ${APPLY}`);
  const counts = new Map<string, number>();
  for (const [, pid = '', call = ''] of (await host.read('/root/calls')).matchAll(
    /^(\d+)\s+(\w+)\(/gmu,
  ))
    counts.set(`${pid} ${call}`, (counts.get(`${pid} ${call}`) ?? 0) + 1);
  const most = new Map<string, number>();
  for (const [key, count] of counts) {
    const call = key.split(' ')[1] ?? '';
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return [...most].flatMap(([call, count]) =>
    Array.from({ length: count }, (_, index) => ({ call, number: index + 1 })),
  );
}

/** Files that are neither old nor new, or open to more than they should be. */
async function tornOf(host: Host, version: number): Promise<string[]> {
  const torn: string[] = [];
  for (const number of FILES) {
    const path = `${PLACE}/file${number}`;
    const content = (await attempt(host, ['cat', path])).stdout;
    const isWhole = [version, version - 1, -1, 0].some((one) => content === contentOf(number, one));
    if (!isWhole) torn.push(`${path} is torn: ${content.slice(0, 60)} (${content.length})`);
  }
  const modes = await sh(host, `find ${PLACE} -type f -printf '%m %f\\n'`);
  for (const [, mode = '', name = ''] of modes.matchAll(/^(\d+) (.*)$/gmu)) {
    const widest = Number.parseInt(modeOf(Number(/file(\d)/u.exec(name)?.[1] ?? 1)), 8);
    if ((Number.parseInt(mode, 8) & ~widest) !== 0) torn.push(`${name} has the mode ${mode}`);
  }
  return torn;
}

/** What is not as it should be once another run has been. */
async function recovery(host: Host, version: number): Promise<string[]> {
  const next = await plain(host);
  if (next.exitCode !== 0)
    return [`the next run exits with ${next.exitCode}: ${next.output.slice(-300)}`];
  const missing = await oldOf(host, version);
  const told = await sh(host, `sha256sum ${PLACE}/file? | cmp - /root/told && echo told || true`);
  if (!told.endsWith('told')) missing.push('the reaction was lost');
  const left = await sh(host, `ls -A ${PLACE} /var/lib/conductor/minion`);
  for (const name of left.split('\n').filter((name) => /^\..*\.(?:new|conductor)$/u.test(name)))
    missing.push(`${name} is left`);
  const again = await plain(host);
  if (!/0 changed|nothing|unchanged/u.test(again.output) || / [1-9]\d* changed/u.test(again.output))
    missing.push(`the run after it changes something: ${again.output.slice(-200)}`);
  return missing;
}

/** Files that have not the content that was asked for. */
async function oldOf(host: Host, version: number): Promise<string[]> {
  const old: string[] = [];
  for (const number of FILES)
    if ((await host.read(`${PLACE}/file${number}`)) !== contentOf(number, version))
      old.push(`file${number} is not new`);
  return old;
}
