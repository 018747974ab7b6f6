import type { StateType } from '../../engine/state-type.ts';
import { cronAbsent, cronPresent } from './cron.ts';

/** The operating system's own settings. */
export const system: readonly StateType[] = [cronAbsent, cronPresent];
