import type { StateType } from '../../engine/state-type.ts';
import { aclAbsent, aclPresent } from './acl.ts';
import { cronEnvAbsent, cronEnvPresent } from './cron-env.ts';
import { cronFile } from './cron-file.ts';
import { cronAbsent, cronPresent } from './cron.ts';
import { environSetenv } from './environ.ts';
import { hostnameSystem } from './hostname.ts';
import { kmodAbsent, kmodPresent } from './kmod.ts';
import { localePresent, localeSystem } from './locale.ts';
import { logrotateConfig } from './logrotate.ts';
import { luksOpened } from './luks.ts';
import { mountMounted, mountUnmounted } from './mount.ts';
import { rebootRequired } from './reboot.ts';
import { mountSwap } from './swap.ts';
import { sysctlPresent } from './sysctl.ts';
import { timezoneSystem } from './timezone.ts';

/** The operating system's own settings. */
export const system: readonly StateType[] = [
  aclAbsent,
  aclPresent,
  cronAbsent,
  cronEnvAbsent,
  cronEnvPresent,
  cronFile,
  cronPresent,
  environSetenv,
  hostnameSystem,
  kmodAbsent,
  kmodPresent,
  localePresent,
  localeSystem,
  logrotateConfig,
  luksOpened,
  mountMounted,
  mountSwap,
  mountUnmounted,
  rebootRequired,
  sysctlPresent,
  timezoneSystem,
];
