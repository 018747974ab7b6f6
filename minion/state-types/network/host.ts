import { isIP } from 'node:net';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { said } from '../lib/said.ts';
import {
  entriesOf,
  namesOf,
  parseHosts,
  withComment,
  withName,
  withOnly,
  withoutName,
  writeHosts,
} from './lib/hosts-file.ts';
import type { HostsLine } from './lib/hosts-file.ts';

const HOSTS = '/etc/hosts';
const PUBLIC = 'every program looks names up in /etc/hosts, so everybody can read it';
const NEEDS = [`path:${HOSTS}`];

type Entry = { ip: readonly string[]; comment: string | null };
type Only = { hostnames: readonly string[] };

const address = z
  .string()
  .refine((text) => isIP(text) !== 0, { error: 'expected an address such as 192.168.0.42 or ::1' });
const addresses = z
  .union([address.transform((one) => [one]), z.array(address).min(1)])
  .transform((list) => [...new Set(list)].toSorted());
const hostname = z.string().regex(/^[^\s#,;/\\]{1,253}$/u, {
  error: 'expected the name of one host (`names` takes several)',
});

const presentSchema = z
  .strictObject({
    name: hostname.describe('Name of the host'),
    ip: addresses.describe('Its address, or a list of them'),
    clean: z
      .boolean()
      .default(false)
      .describe('Whether every other address of that name is taken away'),
    comment: z
      .string()
      .regex(/^[^\s#](?:[^\r\n#]*[^\s#])?$/u, { error: 'expected a comment on one line' })
      .exactOptional()
      .describe('What stands behind `#` on the lines of that name'),
  })
  .describe(
    'A name in /etc/hosts with its addresses. A name is added to the line that its address has already, or to a new one; ' +
      'all other lines stay as they are.',
  );
type Present = z.infer<typeof presentSchema>;

const absentSchema = z
  .strictObject({
    name: hostname.describe('Name of the host'),
    ip: addresses
      .exactOptional()
      .describe('The address or addresses that it is not to have; none at all if absent'),
  })
  .describe('A name that is not in /etc/hosts, at all or for some addresses.');
type Absent = z.infer<typeof absentSchema>;

const onlySchema = z
  .strictObject({
    name: address.describe('The address'),
    hostnames: z
      .union([hostname.transform((one) => [one]), z.array(hostname)])
      .describe('Its names in that order, the canonical one first; an empty list is none'),
  })
  .describe('An address in /etc/hosts with exactly these names, in this order, on one line.');
type OnlyArgs = z.infer<typeof onlySchema>;

export const hostPresent = defineState<Present, Entry>({
  name: 'host.present',
  schema: presentSchema,
  publishes: PUBLIC,
  example: `salt-master:
  host.present:
    ip: 192.168.0.42
`,
  provides: ({ name }) => [`host:${name}`],
  needs: () => NEEDS,
  async read({ name, ip, clean, comment }, host) {
    const entries = entriesOf(await readHosts(host), name);
    const shown = [...entries.keys()].filter((one) => clean || ip.includes(one)).toSorted();
    if (shown.length === 0) return null;
    const comments = new Set(ip.map((one) => entries.get(one) ?? null));
    const isOne = comments.size === 1 || comment === undefined;
    return { ip: shown, comment: isOne ? ([...comments][0] ?? null) : null };
  },
  want: ({ ip, comment }) => said({ ip, comment }),
  async apply(change, args, host) {
    if (change.action === 'remove') return;
    await changeHosts(host, (lines) => brought(lines, args));
  },
});

export const hostAbsent = defineState<Absent, Entry>({
  name: 'host.absent',
  schema: absentSchema,
  example: `old server:
  host.absent:
    name: server1
    ip: 192.168.0.42
`,
  needs: () => NEEDS,
  async read({ name, ip }, host) {
    const entries = entriesOf(await readHosts(host), name);
    const shown = [...entries.keys()].filter((one) => ip === undefined || ip.includes(one));
    return shown.length === 0 ? null : { ip: shown.toSorted(), comment: null };
  },
  want: () => null,
  async apply(_change: Change<Entry>, { name, ip }, host) {
    await changeHosts(host, (lines) =>
      withoutName(lines, name, (one) => ip === undefined || ip.includes(one)),
    );
  },
});

function only(name: 'host.only' | 'hosts.only') {
  return defineState<OnlyArgs, Only>({
    name,
    schema: onlySchema,
    publishes: PUBLIC,
    example: `127.0.1.1:
  ${name}:
    hostnames: [web-01.example.org, web-01]
`,
    needs: () => NEEDS,
    async read({ name: ip }, host) {
      const lines = await readHosts(host);
      const hostnames = namesOf(lines, ip);
      return hostnames.length === 0 ? null : { hostnames };
    },
    want: ({ hostnames }) => (hostnames.length === 0 ? null : { hostnames }),
    async apply(_change: Change<Only>, { name: ip, hostnames }, host) {
      await changeHosts(host, (lines) => withOnly(lines, ip, hostnames));
    },
  });
}

export const hostOnly = only('host.only');
export const hostsOnly = only('hosts.only');

function brought(lines: readonly HostsLine[], args: Present): readonly HostsLine[] {
  const { name, ip, clean, comment } = args;
  let now = clean ? withoutName(lines, name, (one) => !ip.includes(one)) : lines;
  const known = entriesOf(now, name);
  for (const one of ip) {
    if (!known.has(one)) now = withName(now, name, one);
    if (comment !== undefined) now = withComment(now, { name, ip: one, comment });
  }
  return now;
}

async function readHosts(host: HostView): Promise<readonly HostsLine[]> {
  const bytes = await host.readFile(HOSTS);
  return parseHosts(Buffer.from(bytes ?? '').toString());
}

/** A file that is not there is made readable by everybody, as every name is looked up in it. */
async function changeHosts(
  host: Host,
  change: (lines: readonly HostsLine[]) => readonly HostsLine[],
): Promise<void> {
  const isThere = (await host.status(HOSTS)) !== null;
  const content = writeHosts(change(await readHosts(host)));
  await host.writeFile(HOSTS, content, isThere ? {} : { mode: '0644' });
}
