import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';

/** The time zone of a host. */
export type Timezone = {
  /** The zone that /etc/localtime leads to; `null` if it leads to none. */
  name: string | null;
  /** What /etc/timezone says; `null` if there is no such file. */
  recorded: string | null;
  /** Whether the hardware clock keeps UTC. */
  utc: boolean;
};

const ZONES = '/usr/share/zoneinfo';
const LOCALTIME = '/etc/localtime';
const RECORD = '/etc/timezone';
const ADJTIME = '/etc/adjtime';

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z][\w+-]*(?:\/[A-Za-z0-9][\w+-]*)*$/u, {
        error: 'expected the name of a time zone, such as Asia/Jerusalem',
      })
      .describe('Name of the zone, such as Asia/Jerusalem or Etc/UTC'),
    utc: z
      .boolean()
      .default(true)
      .describe('Whether the hardware clock keeps UTC; false is local time'),
  })
  .describe(
    "The host's time zone, in /etc/localtime and, where Debian keeps it, in /etc/timezone. What runs already goes on " +
      'in the old zone until it is restarted; cron is such a program.',
  );

type Args = z.infer<typeof schema>;

async function read(_args: Args, host: HostView): Promise<Timezone> {
  const to = (await host.readLink(LOCALTIME)) ?? '';
  const recorded = await host.readFile(RECORD);
  return {
    name: /(?:^|\/)usr\/share\/zoneinfo\/(?<zone>.+)$/u.exec(to)?.groups?.['zone'] ?? null,
    recorded: recorded === null ? null : Buffer.from(recorded).toString().trim(),
    utc: (await clockLines(host))[2] !== 'LOCAL',
  };
}

/** Drift, adjustment, and then `UTC` or `LOCAL`; without the file the clock keeps UTC. */
async function clockLines(host: HostView): Promise<string[]> {
  const bytes = await host.readFile(ADJTIME);
  return bytes === null ? ['0.0 0 0', '0', 'UTC'] : Buffer.from(bytes).toString().split('\n');
}

async function want({ name, utc }: Args, host: HostView): Promise<Partial<Timezone>> {
  const zone = await host.status(`${ZONES}/${name}`);
  if (zone === null || zone.kind === 'directory') {
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot set the time zone "${name}": this host knows no such zone (the package tzdata has them)`,
      { lacks: ['package:tzdata'] },
    );
  }
  const isRecorded = (await host.status(RECORD)) !== null;
  return { name, ...(isRecorded ? { recorded: name } : {}), utc };
}

async function apply(change: Change<Timezone>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { name, recorded, utc } = change.to;
  if (recorded !== undefined) await host.writeFile(RECORD, `${args.name}\n`);
  if (utc !== undefined) {
    const [drift = '0.0 0 0', adjusted = '0'] = await clockLines(host);
    await host.writeFile(ADJTIME, `${drift}\n${adjusted}\n${utc ? 'UTC' : 'LOCAL'}\n`);
  }
  if (name !== undefined) await setLocaltime(`${ZONES}/${args.name}`, host);
}

/** Some hosts have a copy of the zone in place of a link. */
async function setLocaltime(to: string, host: Host): Promise<void> {
  if ((await host.status(LOCALTIME))?.kind === 'file') await host.remove(LOCALTIME);
  await host.link(LOCALTIME, to);
}

export const timezoneSystem = defineState({
  name: 'timezone.system',
  schema,
  example: `Asia/Jerusalem:
  timezone.system:
    utc: true
`,
  needs: () => ['package:tzdata'],
  read,
  want,
  apply,
});
