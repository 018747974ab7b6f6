import type { StateType } from '../../engine/state-type.ts';
import { firewallPolicy } from './firewall-policy.ts';
import { firewallRule, firewallRuleAbsent } from './firewall-rule.ts';
import { hostAbsent, hostOnly, hostPresent, hostsOnly } from './host.ts';
import { nginxSnippet, nginxSnippetAbsent } from './nginx-snippet.ts';
import { nginxSite, nginxSiteAbsent } from './nginx.ts';
import { portAllocated, portReleased } from './port.ts';

/** Names, ports, proxies and firewalls. */
export const network: readonly StateType[] = [
  firewallPolicy,
  firewallRule,
  firewallRuleAbsent,
  hostAbsent,
  hostOnly,
  hostPresent,
  hostsOnly,
  nginxSite,
  nginxSiteAbsent,
  nginxSnippet,
  nginxSnippetAbsent,
  portAllocated,
  portReleased,
];
