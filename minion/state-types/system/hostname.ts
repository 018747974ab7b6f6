import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';

/** What a host calls itself. */
export type Hostname = {
  /** What /etc/hostname says: the name from the next boot on. */
  name: string | null;
  /** What the kernel says now. */
  live: string;
};

const FILE = '/etc/hostname';

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(
        /^(?=.{1,64}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/iu,
        {
          error: 'expected the name of a host, such as web-01, of at most 64 characters',
        },
      )
      .describe('Name of the host, with or without a domain'),
  })
  .describe(
    'What the host calls itself, at once and after the next boot. /etc/hosts is not touched: `host.present` gives the ' +
      "name its address. The minion's id stays as it is.",
  );

type Args = z.infer<typeof schema>;

async function read(_args: Args, host: HostView): Promise<Hostname> {
  const [file, live] = [
    await host.readFile(FILE),
    await host.readFile('/proc/sys/kernel/hostname'),
  ];
  return {
    name: file === null ? null : Buffer.from(file).toString().trim(),
    live: Buffer.from(live ?? [])
      .toString()
      .trim(),
  };
}

async function apply(change: Change<Hostname>, { name }: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  if (change.to.name !== undefined) await host.writeFile(FILE, `${name}\n`);
  if (change.to.live !== undefined) await host.run(['hostname', name]);
}

export const hostnameSystem = defineState({
  name: 'hostname.system',
  schema,
  example: `web-01:
  hostname.system: {}
`,
  provides: () => ['hostname'],
  read,
  want: ({ name }: Args): Partial<Hostname> => ({ name, live: name }),
  apply,
});
