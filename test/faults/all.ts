import { masterAway, standingStill } from './away.ts';
import { badProxy } from './bad-proxy.ts';
import { wrongClock } from './clock.ts';
import { masterDamage, minionDamage, someMinionDamage } from './damage.ts';
import type { Fault } from './fault.ts';
import { frozenAgent } from './frozen-agent.ts';
import { fullDisk } from './full-disk.ts';
import { halfOpen } from './half-open.ts';
import { kills, someKills } from './kills.ts';
import { midRun } from './mid-run.ts';
import { manyMinions } from './many-minions.ts';
import { movedMaster } from './moved-master.ts';
import { muchOutput } from './output.ts';
import { partition, shortPartition } from './partition.ts';
import { slowLink } from './slow-link.ts';
import { failingDisk, powerLoss, somePowerLoss } from './power-loss.ts';
import { busySoftware } from './software.ts';

/** Every fault that there is, in the order in which they are done. */
export const FAULTS: readonly Fault[] = [
  kills,
  minionDamage,
  masterDamage,
  powerLoss,
  failingDisk,
  fullDisk,
  midRun,
  masterAway,
  standingStill,
  frozenAgent,
  muchOutput,
  busySoftware,
  partition,
  halfOpen,
  badProxy,
  slowLink,
  movedMaster,
  manyMinions,
  wrongClock,
];

/** Those that are part of `npm test`. */
export const FAST_FAULTS: readonly Fault[] = [
  someKills,
  someMinionDamage,
  somePowerLoss,
  shortPartition,
  frozenAgent,
];
