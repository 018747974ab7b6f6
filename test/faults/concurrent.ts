import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, publish, sh, TREE, until } from '../e2e/installed-hosts.ts';
import { allHaveEnded, collectHistory } from './collect.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { judgeHistory } from './history.ts';

/** A scheduled run, one that an operator has asked for and one by hand want to begin at the same time: all are done, one at a time. */
export const concurrentRuns: Fault = {
  name: 'a scheduled, an operator and a local run at the same time',
  rounds: 50,
  usualMinutes: 5,
  isFast: false,
  run: runTogether,
};

const TOP = 'base:\n  "*": [common]\n  web: [web, only-one]\n';
/** Fails if somebody else is just doing the same. */
const ONLY_ONE = `only one:
  cmd.run:
    name: mkdir /run/only-one && sleep 0.2 && rmdir /run/only-one && echo done >>/root/only-one
    always: true
`;
const LOCAL = '/root/only-one-tree';
const LATEST_MS = 1_500;

async function runTogether({ site, rounds, random, log }: FaultSetting): Promise<string[]> {
  const { conductor, appserver } = site;
  const since = Math.floor(Date.now() / 1000);
  await conductor.write(`${TREE}/states/top.yaml`, TOP);
  await publish(site, 'states/only-one.yaml', ONLY_ONE);
  await appserver.write(`${LOCAL}/states/top.yaml`, 'base:\n  "*": [only-one]\n');
  await appserver.write(`${LOCAL}/states/only-one.yaml`, ONLY_ONE);
  const runs = [
    [appserver, 'minion agent --refresh-now'],
    [conductor, 'master apply --target appserver'],
    [appserver, `minion apply --tree ${LOCAL}`],
  ] as const;
  const lost: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const delays = runs.map(() => random.below(LATEST_MS));
    log(`round ${round}: after ${delays.join(', ')} ms`);
    const ends = await Promise.all(
      runs.map(async ([host, line], index) => {
        await sleep(delays[index] ?? 0);
        const { exitCode, output } = await attempt(host, ['/bin/bash', '-c', `exec ${line}`]);
        return exitCode === 0 ? [] : [`round ${round}: ${line} exits with ${exitCode}: ${output}`];
      }),
    );
    lost.push(...ends.flat());
  }
  await until('all jobs to end', 60, () => allHaveEnded(site));
  const done = await sh(appserver, 'wc -l </root/only-one');
  if (done !== String(rounds * runs.length)) lost.push(`${done} runs have done what they do`);
  return [...lost, ...judgeHistory(await collectHistory(site, since))];
}
