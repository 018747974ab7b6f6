import { masterDamage, minionDamage, someMinionDamage } from './damage.ts';
import type { Fault } from './fault.ts';
import { kills, someKills } from './kills.ts';

/** Every fault that there is, in the order in which they are done. */
export const FAULTS: readonly Fault[] = [kills, minionDamage, masterDamage];

/** Those that are part of `npm test`. */
export const FAST_FAULTS: readonly Fault[] = [someKills, someMinionDamage];
