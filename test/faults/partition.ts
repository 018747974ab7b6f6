import type { Site } from '../e2e/installed-hosts.ts';
import { lose, loseNothing } from './cable.ts';
import { collectHistory } from './collect.ts';
import { disturbRun } from './disturbed-run.ts';
import type { Disturbance } from './disturbed-run.ts';
import type { Fault, FaultSetting } from './fault.ts';
import { judgeHistory } from './history.ts';

/** The network between master and minion fails while a run is under way: both ways, one way, for good or for a moment. */
export const partition: Fault = {
  name: 'the network is cut in mid-run, both ways and one way',
  rounds: 1,
  usualMinutes: 36,
  isFast: false,
  load: 'idle',
  run: cutInAllWays,
};

/** A moment's cut, shorter than anybody takes to notice, for every test run. */
export const shortPartition: Fault = {
  name: 'the network is cut for a moment',
  rounds: 1,
  usualMinutes: 1,
  isFast: true,
  run: async (setting) => judged(setting, [bothWays(8)]),
};

const LONGEST_MINUTES = 10;

async function cutInAllWays(setting: FaultSetting): Promise<string[]> {
  const seconds = Math.round(Math.min(LONGEST_MINUTES, setting.minutes) * 60);
  const lost: string[] = [];
  for (let round = 1; round <= setting.rounds; round += 1) {
    const [toMinion, toMaster] = [oneWay('in', seconds), oneWay('out', seconds)];
    lost.push(...(await judged(setting, [bothWays(seconds), toMinion, toMaster, bothWays(15)])));
  }
  return lost;
}

async function judged(setting: FaultSetting, cuts: readonly Disturbance[]): Promise<string[]> {
  const since = Math.floor(Date.now() / 1000);
  const lost: string[] = [];
  for (const cut of cuts) lost.push(...(await disturbRun(setting, cut)));
  return [...lost, ...judgeHistory(await collectHistory(setting.site, since))];
}

function bothWays(seconds: number): Disturbance {
  return {
    name: 'cut both ways',
    seconds,
    isSeen: true,
    begin: ({ appserver }) => appserver.cut(),
    end: ({ appserver }) => appserver.mend(),
  };
}

function oneWay(direction: 'in' | 'out', seconds: number): Disturbance {
  const deaf = direction === 'in' ? 'the minion hears nothing' : 'the master hears nothing';
  return {
    name: deaf,
    seconds,
    isSeen: true,
    begin: ({ appserver, conductor }: Site) => lose(appserver, direction, conductor.address),
    end: ({ appserver }) => loseNothing(appserver),
  };
}
