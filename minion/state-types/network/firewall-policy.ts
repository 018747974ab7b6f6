import { z } from 'zod';
import { defineState } from '../../engine/state-type.ts';
import { FIREWALL_NEEDS, readFirewall, refuseRuleset, replaceRuleset } from './lib/firewall.ts';
import { CHAINS } from './lib/firewall-rules.ts';
import type { Ruleset } from './lib/firewall-rules.ts';
import { KERNEL } from '../lib/resources.ts';

type Policy = {
  policy: 'accept' | 'drop';
  established: boolean;
  loopback: boolean;
  icmp: boolean;
  loaded: boolean;
  persisted: boolean;
};

const schema = z
  .strictObject({
    name: z
      .enum(CHAINS)
      .describe('What it is about: packets for this host, through it, or from it'),
    policy: z
      .string()
      .transform((word) => word.toLowerCase())
      .pipe(z.enum(['accept', 'drop']))
      .describe('What becomes of packets that no rule has decided on'),
    established: z
      .boolean()
      .default(true)
      .describe('Whether packets of connections that are under way are accepted before all rules'),
    loopback: z
      .boolean()
      .default(true)
      .describe('Whether what this host says to itself is accepted before all rules'),
    icmp: z
      .boolean()
      .default(true)
      .describe(
        'Whether the messages that networks need, and pings, are accepted before all rules',
      ),
  })
  .describe(
    'What the firewall does with packets that no `firewall.rule` has decided on, and what it lets pass before them. ' +
      'Rules and policies make up one table of nftables, `inet conductor`; other tables are left alone. The table is ' +
      'checked as a whole, loaded in one step, and kept for the next start; if the minion can make no new connection to ' +
      'its master within 20 seconds, the old one is put back.',
  );
type Args = z.infer<typeof schema>;

export const firewallPolicy = defineState<Args, Policy>({
  name: 'firewall.policy',
  provides: () => [KERNEL],
  schema,
  example: `only what is allowed comes in:
  firewall.policy:
    name: input
    policy: drop
`,
  needs: () => FIREWALL_NEEDS,
  async read({ name }, host) {
    const { policies, loaded, persisted } = await readFirewall(host);
    const found = policies.get(name);
    if (found === undefined) return null;
    const { chain, ...policy } = found;
    return { ...policy, loaded, persisted };
  },
  want: ({ name, ...policy }) => ({ ...policy, loaded: true, persisted: true }),
  refuses: (_change, args, host) => refuseRuleset(host, titleOf(args), withPolicy(args)),
  apply: (_change, args, host) => replaceRuleset(host, titleOf(args), withPolicy(args)),
});

function titleOf({ name }: Args): string {
  return `the policy of "${name}"`;
}

function withPolicy({ name: chain, ...policy }: Args) {
  return ({ rules, policies }: Ruleset): Ruleset => ({
    rules,
    policies: new Map(policies).set(chain, { chain, ...policy }),
  });
}
