import { masterAway, standingStill } from './away.ts';
import { masterDamage, minionDamage, someMinionDamage } from './damage.ts';
import type { Fault } from './fault.ts';
import { fullDisk } from './full-disk.ts';
import { kills, someKills } from './kills.ts';
import { midRun } from './mid-run.ts';
import { muchOutput } from './output.ts';
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
  muchOutput,
  busySoftware,
];

/** Those that are part of `npm test`. */
export const FAST_FAULTS: readonly Fault[] = [someKills, someMinionDamage, somePowerLoss];
