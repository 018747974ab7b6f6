import type { StateType } from '../../engine/state-type.ts';
import { cmdRun, cmdWait } from './cmd.ts';

/** Commands and checks of one's own. */
export const commands: readonly StateType[] = [cmdRun, cmdWait];
