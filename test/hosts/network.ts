import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { mustRunNow, runNow } from './command.ts';
import { HostError } from './host-error.ts';

/** A private network of its own for each fleet: `10.213.7` stands for 10.213.7.0/24. The machine is .1 in it. */
export interface FleetNetwork {
  readonly bridge: string;
  readonly table: string;
  readonly prefix: string;
}

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

const routes = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));
const interfaces = z.array(
  z.object({
    addr_info: z.array(z.object({ local: z.string().optional(), prefixlen: z.int().optional() })),
  }),
);

/** A /24 that overlaps none of the given addresses and networks (`10.0.0.0/8`, `10.1.2.3`). */
export function pickPrefix(taken: readonly string[]): string {
  const ranges = taken.map(toRange);
  const candidates = [213, 214, 215].flatMap((second) =>
    Array.from({ length: 256 }, (_, third) => `10.${second}.${third}`),
  );
  const more = Array.from({ length: 256 }, (_, third) => `172.29.${third}`);
  const free = [...candidates, ...more].find((prefix) => {
    const { first, last } = toRange(`${prefix}.0/24`);
    return ranges.every((range) => last < range.first || first > range.last);
  });
  if (free === undefined)
    throw new HostError('Cannot make a network: no private range is free on this machine');
  return free;
}

/** Every IPv4 network and address this machine knows a way to, other than by its default route. */
export function takenNetworks(): string[] {
  const routed = routes.parse(
    JSON.parse(mustRunNow(['ip', '-4', '-json', 'route', 'show', 'table', 'all'])),
  );
  const own = interfaces.parse(JSON.parse(mustRunNow(['ip', '-4', '-json', 'address', 'show'])));
  const addresses = own.flatMap(({ addr_info }) =>
    addr_info.flatMap(({ local, prefixlen }) =>
      local === undefined ? [] : [`${local}/${prefixlen ?? 32}`],
    ),
  );
  return [...routed.map(({ dst }) => dst).filter((dst) => dst !== 'default'), ...addresses];
}

/** How big a packet may be on the way to the outside. */
export function uplinkMtu(): number {
  const [route] = routes.parse(
    JSON.parse(mustRunNow(['ip', '-4', '-json', 'route', 'show', 'default'])),
  );
  const path = `/sys/class/net/${route?.dev ?? ''}/mtu`;
  return route?.dev !== undefined && existsSync(path) ? Number(readFileSync(path, 'utf8')) : 1500;
}

/** Makes the bridge and the rules that let hosts on it out into the world. */
export function makeNetwork({ bridge, table, prefix }: FleetNetwork): void {
  mustRunNow(['ip', 'link', 'add', 'name', bridge, 'type', 'bridge']);
  mustRunNow(['ip', 'address', 'add', `${prefix}.1/24`, 'dev', bridge]);
  mustRunNow(['ip', 'link', 'set', bridge, 'up']);
  mustRunNow(['nft', masquerade(table, prefix)]);
}

/** Undoes `makeNetwork`, as far as it came. */
export function removeNetwork({ bridge, table }: FleetNetwork): void {
  const tables = runNow(['nft', 'list', 'tables', 'ip']).stdout.split('\n');
  if (tables.includes(`table ip ${table}`)) mustRunNow(['nft', 'delete', 'table', 'ip', table]);
  removeLink(bridge);
}

/** A cable also goes by itself, a moment after the network at its other end has gone. */
export function removeLink(name: string): void {
  const path = `/sys/class/net/${name}`;
  if (!existsSync(path)) return;
  const { stderr } = runNow(['ip', 'link', 'delete', name]);
  if (existsSync(path)) throw new HostError(`Cannot remove interface "${name}": ${stderr.trim()}`);
}

/** Lets a host's cable end in its fleet's bridge (or in nothing: then whatever is sent either way is lost silently). */
export function connectLink(name: string, bridge: string | null): void {
  if (bridge === null) mustRunNow(['ip', 'link', 'set', name, 'nomaster']);
  else mustRunNow(['ip', 'link', 'set', name, 'master', bridge]);
}

export function isForwarding(): boolean {
  return readFileSync(FORWARDING, 'utf8').trim() === '1';
}

export function setForwarding(isOn: boolean): void {
  writeFileSync(FORWARDING, isOn ? '1' : '0');
}

/** The commands that let the hosts of a network out, as nft takes them in one argument. */
export function masquerade(table: string, prefix: string): string {
  const range = `${prefix}.0/24`;
  const commands = [
    `add table ip ${table}`,
    `add chain ip ${table} outward { type nat hook postrouting priority srcnat; policy accept; }`,
    `add rule ip ${table} outward ip saddr ${range} ip daddr != ${range} masquerade`,
  ];
  return commands.join('; ');
}

function toRange(network: string): { first: number; last: number } {
  const [address = '', length = '32'] = network.split('/');
  const bytes = address.split('.').map(Number);
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0) * 256 ** (4 - bytes.length);
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}
