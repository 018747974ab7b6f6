import { lockedApt } from './apt-lock.ts';
import { masterAway, standingStill } from './away.ts';
import { badProxy } from './bad-proxy.ts';
import { wrongClock } from './clock.ts';
import { concurrentRuns } from './concurrent.ts';
import { masterDamage, minionDamage, someMinionDamage } from './damage.ts';
import { noDescriptors } from './descriptors.ts';
import { disorder } from './disorder.ts';
import type { Fault } from './fault.ts';
import { frozenAgent } from './frozen-agent.ts';
import { fullDisk } from './full-disk.ts';
import { halfOpen } from './half-open.ts';
import { hungCommands } from './hung.ts';
import { kills, someKills } from './kills.ts';
import { lateResult } from './late-result.ts';
import { midRun } from './mid-run.ts';
import { movingTree } from './moving-tree.ts';
import { manyMinions } from './many-minions.ts';
import { movedMaster } from './moved-master.ts';
import { oddBytes } from './odd-bytes.ts';
import { muchOutput } from './output.ts';
import { partition, shortPartition } from './partition.ts';
import { reboots } from './reboots.ts';
import { slowLink } from './slow-link.ts';
import { failingDisk, powerLoss, somePowerLoss } from './power-loss.ts';
import { busySoftware } from './software.ts';

/** Every fault that there is; those that take longest are begun first. */
export const FAULTS: readonly Fault[] = [
  manyMinions,
  slowLink,
  lateResult,
  partition,
  lockedApt,
  powerLoss,
  failingDisk,
  muchOutput,
  kills,
  standingStill,
  wrongClock,
  masterAway,
  concurrentRuns,
  disorder,
  reboots,
  movingTree,
  hungCommands,
  noDescriptors,
  oddBytes,
  halfOpen,
  movedMaster,
  badProxy,
  minionDamage,
  masterDamage,
  busySoftware,
  fullDisk,
  midRun,
  frozenAgent,
];

/** Those that are part of `npm test`. */
export const FAST_FAULTS: readonly Fault[] = [
  someKills,
  someMinionDamage,
  somePowerLoss,
  shortPartition,
  frozenAgent,
];
