import type { StateType } from '../../engine/state-type.ts';
import { groupAbsent, groupPresent } from './group.ts';
import { sshAuthManage } from './ssh-auth-manage.ts';
import { sshAuthAbsent, sshAuthPresent } from './ssh-auth.ts';
import { sshKnownHostsAbsent, sshKnownHostsPresent } from './ssh-known-hosts.ts';
import { sudoRule, sudoRuleAbsent } from './sudo.ts';
import { userAbsent, userPresent } from './user.ts';

/** Users, groups and what they may do. */
export const accounts: readonly StateType[] = [
  groupAbsent,
  groupPresent,
  sshAuthAbsent,
  sshAuthManage,
  sshAuthPresent,
  sshKnownHostsAbsent,
  sshKnownHostsPresent,
  sudoRule,
  sudoRuleAbsent,
  userAbsent,
  userPresent,
];
