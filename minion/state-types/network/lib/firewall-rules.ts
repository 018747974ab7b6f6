import { z } from 'zod';

/** What the firewall's file holds: rules and policies, each also as nftables reads it. */

export const CHAINS = ['input', 'forward', 'output'] as const;
export type Chain = (typeof CHAINS)[number];

const names = z.array(z.string());
const ruleSchema = z.strictObject({
  name: z.string(),
  order: z.int(),
  chain: z.enum(CHAINS),
  proto: z.string(),
  source: names,
  destination: names,
  sport: names,
  dport: names,
  in_interface: names,
  out_interface: names,
  connstate: names,
  limit: z.string(),
  log: z.boolean(),
  jump: z.enum(['accept', 'drop', 'reject']),
});
const policySchema = z.strictObject({
  chain: z.enum(CHAINS),
  policy: z.enum(['accept', 'drop']),
  established: z.boolean(),
  loopback: z.boolean(),
  icmp: z.boolean(),
});
export type Rule = z.infer<typeof ruleSchema>;
export type Policy = z.infer<typeof policySchema>;

export interface Ruleset {
  /** By name. */
  readonly rules: ReadonlyMap<string, Rule>;
  readonly policies: ReadonlyMap<Chain, Policy>;
}

const MARK = /^\s*# (rule|policy) (\{.*\})$/u;

/** What a file of ours declares; lines that are none of ours say nothing. */
export function parseRuleset(text: string): Ruleset {
  const rules = new Map<string, Rule>();
  const policies = new Map<Chain, Policy>();
  for (const line of text.split('\n')) {
    const [, kind, json = ''] = MARK.exec(line) ?? [];
    const rule = kind === 'rule' ? ruleSchema.safeParse(parsed(json)) : null;
    if (rule?.success === true) rules.set(rule.data.name, rule.data);
    const policy = kind === 'policy' ? policySchema.safeParse(parsed(json)) : null;
    if (policy?.success === true) policies.set(policy.data.chain, policy.data);
  }
  return { rules, policies };
}

/** `null` for what somebody has spoiled. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** The whole file: loading it replaces the table in one step. */
export function renderRuleset({ rules, policies }: Ruleset): string {
  const ordered = [...rules.values()].toSorted(
    (a, b) => a.order - b.order || (a.name < b.name ? -1 : 1),
  );
  const chains = CHAINS.flatMap((chain) => {
    const own = ordered.filter((rule) => rule.chain === chain);
    return renderChain(chain, policies.get(chain) ?? null, own);
  });
  return [
    '# Made by Conductor, which finds its rules again in the comments.',
    EMPTY,
    'table inet conductor {',
    ...chains,
    '}',
    '',
  ].join('\n');
}

/** Makes the table if it is not there, so that it can be deleted in any case. */
export const EMPTY = 'table inet conductor\ndelete table inet conductor';

const ICMP =
  'icmp type { echo-request, destination-unreachable, time-exceeded, parameter-problem } accept';
const ICMPV6 =
  'icmpv6 type { echo-request, destination-unreachable, packet-too-big, time-exceeded, parameter-problem, ' +
  'nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-query } accept';

function renderChain(chain: Chain, policy: Policy | null, rules: readonly Rule[]): string[] {
  if (policy === null && rules.length === 0) return [];
  const lines = [
    `type filter hook ${chain} priority filter; policy ${policy?.policy ?? 'accept'};`,
    ...(policy === null ? [] : acceptedBy(policy)),
    ...rules.flatMap((rule) => [
      `# rule ${JSON.stringify(ruleSchema.parse(rule))}`,
      ...linesOf(rule),
    ]),
  ];
  const mark = policy === null ? [] : [`\t# policy ${JSON.stringify(policySchema.parse(policy))}`];
  return [...mark, `\tchain ${chain} {`, ...lines.map((line) => `\t\t${line}`), '\t}'];
}

/** What a policy lets pass before all rules. */
function acceptedBy({ chain, established, loopback, icmp }: Policy): string[] {
  const end = { input: 'iif', output: 'oif', forward: null }[chain];
  return [
    ...(established ? ['ct state established,related accept'] : []),
    ...(loopback && end !== null ? [`${end} lo accept`] : []),
    ...(icmp ? [ICMP, ICMPV6] : []),
  ];
}

/** A rule as nftables reads it: one line for each family of its addresses. */
export function linesOf(rule: Rule): string[] {
  const families = (['ip', 'ip6'] as const).filter((family) => isOf(family, rule));
  const hasAddress = rule.source.length + rule.destination.length > 0;
  if (!hasAddress) return [lineOf(rule, [])];
  return families.map((family) => {
    const ends = [
      ['saddr', ofFamily(family, rule.source)],
      ['daddr', ofFamily(family, rule.destination)],
    ] as const;
    return lineOf(
      rule,
      ends.flatMap(([end, list]) => (list.length === 0 ? [] : [`${family} ${end} ${setOf(list)}`])),
    );
  });
}

type Family = 'ip' | 'ip6';

/** With addresses at both ends, a packet can be of a family only if both ends know it. */
function isOf(family: Family, { source, destination }: Rule): boolean {
  return [source, destination].every(
    (list) => list.length === 0 || ofFamily(family, list).length > 0,
  );
}

function ofFamily(family: Family, list: readonly string[]): readonly string[] {
  return list.filter((address) => address.includes(':') === (family === 'ip6'));
}

function lineOf(rule: Rule, addresses: readonly string[]): string {
  const { proto, sport, dport, in_interface, out_interface, connstate, limit, log, jump } = rule;
  const ports = [
    ['sport', sport],
    ['dport', dport],
  ] as const;
  const matches = ports.flatMap(([end, list]) =>
    list.length === 0 ? [] : [`${proto} ${end} ${setOf(list)}`],
  );
  const parts = [
    ...interfacesOf('iifname', in_interface),
    ...interfacesOf('oifname', out_interface),
    ...addresses,
    ...(proto === 'all' || matches.length > 0 ? [] : [`meta l4proto ${proto}`]),
    ...matches,
    ...(connstate.length === 0 ? [] : [`ct state ${connstate.join(',')}`]),
    ...(limit === 'none' ? [] : [`limit rate ${limit}`]),
    ...(log ? ['log prefix "conductor: "'] : []),
    jump,
  ];
  return parts.join(' ');
}

function interfacesOf(end: string, list: readonly string[]): string[] {
  return list.length === 0 ? [] : [`${end} ${setOf(list.map((name) => `"${name}"`))}`];
}

function setOf(list: readonly string[]): string {
  return list.length === 1 ? list.join('') : `{ ${list.join(', ')} }`;
}
