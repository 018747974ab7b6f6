import type { StateType } from '../../engine/state-type.ts';
import { groupAbsent, groupPresent } from './group.ts';
import { sshAuthAbsent, sshAuthPresent } from './ssh-auth.ts';
import { userAbsent, userPresent } from './user.ts';

/** Users, groups and what they may do. */
export const accounts: readonly StateType[] = [
  groupAbsent,
  groupPresent,
  sshAuthAbsent,
  sshAuthPresent,
  userAbsent,
  userPresent,
];
