import type { StateType } from '../../engine/state-type.ts';
import { nginxSite, nginxSiteAbsent } from './nginx.ts';
import { portAllocated } from './port.ts';

/** Names, ports, proxies and firewalls. */
export const network: readonly StateType[] = [nginxSite, nginxSiteAbsent, portAllocated];
