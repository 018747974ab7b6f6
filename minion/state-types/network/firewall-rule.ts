import { isIP } from 'node:net';
import { z } from 'zod';
import type { HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { FIREWALL_NEEDS, readFirewall, refuseRuleset, replaceRuleset } from './lib/firewall.ts';
import { CHAINS, linesOf } from './lib/firewall-rules.ts';
import type { Rule, Ruleset } from './lib/firewall-rules.ts';
import { KERNEL } from '../lib/resources.ts';

type State = Omit<Rule, 'name'> & { loaded: boolean; persisted: boolean };

const title = z.string().regex(/^[^\0\r\n]{1,100}$/u, { error: 'expected a title on one line' });

/** One or several, in order and without repetition. */
function several<Part extends z.ZodType<string>>(part: Part) {
  const list = z.array(part).transform((items) => [...new Set<string>(items)].toSorted());
  return z.union([part.transform((one): string[] => [one]), list]).default([]);
}

const network = z.string().refine((text) => isNetwork(text), {
  error: 'expected a network such as 10.0.0.0/8 or fe80::/10',
});
const port = z
  .union([z.int(), z.string()])
  .transform((value) => String(value).replace(':', '-'))
  .refine((text) => isPorts(text), { error: 'expected a port, or a range such as 8000-8100' });
const interfaceName = z
  .string()
  .regex(/^[\w.@*-]{1,16}$/u, { error: 'expected the name of an interface, such as eth0 or wg*' });
const verdict = z
  .string()
  .transform((word) => word.toLowerCase())
  .pipe(z.enum(['accept', 'drop', 'reject']));

const ruleSchema = z
  .strictObject({
    name: title.describe('A title of your own'),
    chain: z
      .string()
      .transform((word) => word.toLowerCase())
      .pipe(z.enum(CHAINS))
      .default('input')
      .describe('What it is about: packets for this host (input), through it, or from it'),
    proto: z
      .string()
      .transform((word) => word.toLowerCase())
      .pipe(z.enum(['all', 'tcp', 'udp', 'sctp', 'icmp', 'icmpv6', 'esp', 'ah', 'gre']))
      .default('all')
      .describe('The protocol'),
    source: several(network).describe('Where packets come from: networks or addresses'),
    destination: several(network).describe('Where packets go to: networks or addresses'),
    sport: several(port).describe('Ports that packets come from'),
    dport: several(port).describe('Ports that packets go to: numbers or ranges'),
    in_interface: several(interfaceName).describe('Interfaces over which packets come'),
    out_interface: several(interfaceName).describe('Interfaces over which packets go'),
    connstate: z
      .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
      .transform((words) => [...new Set(words.map((word) => word.trim().toLowerCase()))].toSorted())
      .pipe(z.array(z.enum(['new', 'established', 'related', 'invalid', 'untracked'])))
      .default([])
      .describe('States of the connection, as a list or separated by commas'),
    limit: z
      .string()
      .regex(/^(?:none|[1-9]\d{0,6}\/(?:second|minute|hour|day))$/u, {
        error: 'expected a rate such as 10/minute',
      })
      .default('none')
      .describe('The rule is about so many packets only, such as 10/minute'),
    log: z.boolean().default(false).describe('Whether the kernel logs what it is about'),
    jump: verdict.default('accept').describe('What becomes of such packets'),
    order: z
      .int()
      .min(0)
      .max(9999)
      .default(500)
      .describe('The first rule that fits decides: lower numbers stand first, then names'),
  })
  .superRefine((rule, context) => {
    const { proto, sport, dport, chain, in_interface, out_interface } = rule;
    const issue = (field: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [field], message });
    if (sport.length + dport.length > 0 && !['tcp', 'udp', 'sctp'].includes(proto))
      issue('proto', 'ports are of tcp, udp or sctp');
    const ends = [rule.source, rule.destination];
    if (ends.every((list) => list.length > 0) && linesOf(rule).length === 0)
      issue('destination', 'no packet has addresses of IPv4 at one end and of IPv6 at the other');
    if (chain === 'input' && out_interface.length > 0)
      issue('out_interface', 'packets for this host go over no interface');
    if (chain === 'output' && in_interface.length > 0)
      issue('in_interface', 'packets from this host come over no interface');
  })
  .describe(
    'A rule of the firewall. Without a `firewall.policy` what no rule has decided on is accepted. Rules and policies make ' +
      'up one table of nftables, `inet conductor`; other tables are left alone. The table is checked as a whole, loaded in ' +
      'one step, and kept for the next start; if the minion can make no new connection to its master within 20 seconds, ' +
      'the old one is put back.',
  );
type Args = z.infer<typeof ruleSchema>;

export const firewallRule = defineState<Args, State>({
  name: 'firewall.rule',
  provides: () => [KERNEL],
  schema: ruleSchema,
  example: `web:
  firewall.rule:
    proto: tcp
    dport: [80, 443]
    jump: accept
`,
  needs: () => FIREWALL_NEEDS,
  read,
  want: ({ name, ...rule }) => ({ ...rule, loaded: true, persisted: true }),
  refuses: (_change, rule, host) => refuseRuleset(host, titleOf(rule), withRule(rule)),
  apply: (_change, rule, host) => replaceRuleset(host, titleOf(rule), withRule(rule)),
});

export const firewallRuleAbsent = defineState<{ name: string }, State>({
  name: 'firewall.rule_absent',
  schema: z
    .strictObject({ name: title.describe('The title of the rule') })
    .describe('No rule of that title in the firewall. Other tables of nftables are left alone.'),
  example: `no telnet:
  firewall.rule_absent:
    name: telnet
`,
  needs: () => FIREWALL_NEEDS,
  async read({ name }, host) {
    const { pending, loaded, persisted } = await readFirewall(host);
    const found = await read({ name }, host);
    return found === null && pending ? { ...NO_RULE, loaded, persisted } : found;
  },
  want: () => null,
  refuses: (_change, args, host) => refuseRuleset(host, titleOf(args), withoutRule(args)),
  apply: (_change, args, host) => replaceRuleset(host, titleOf(args), withoutRule(args)),
});

function titleOf({ name }: { name: string }): string {
  return `the firewall rule "${name}"`;
}

function withRule(rule: Rule) {
  return ({ rules, policies }: Ruleset): Ruleset => ({
    rules: new Map(rules).set(rule.name, rule),
    policies,
  });
}

function withoutRule({ name }: { name: string }) {
  return ({ rules, policies }: Ruleset): Ruleset => {
    const left = new Map(rules);
    left.delete(name);
    return { rules: left, policies };
  };
}

/** What a run that has died may still bring back. */
const NO_RULE: Omit<Rule, 'name'> = {
  order: 0,
  chain: 'input',
  proto: 'all',
  source: [],
  destination: [],
  sport: [],
  dport: [],
  in_interface: [],
  out_interface: [],
  connstate: [],
  limit: 'none',
  log: false,
  jump: 'accept',
};

async function read({ name: title }: { name: string }, host: HostView): Promise<State | null> {
  const { rules, loaded, persisted } = await readFirewall(host);
  const found = rules.get(title);
  if (found === undefined) return null;
  const { name, ...rule } = found;
  return { ...rule, loaded, persisted };
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return (
    bits === undefined || (/^\d{1,3}$/u.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  );
}

function isPorts(text: string): boolean {
  const [first = '', last = first, ...rest] = text.split('-');
  const numbers = [first, last].map((part) => (/^\d{1,5}$/u.test(part) ? Number(part) : -1));
  const [from = -1, to = -1] = numbers;
  return rest.length === 0 && from >= 1 && to <= 65_535 && from <= to;
}
