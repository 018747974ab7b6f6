import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';

type Allocated = { port: number };
type Named = { name: string };

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[^\0\r\n]{1,200}$/u)
      .describe(
        'What the port is for; `{{ port NAME }}` gives the same number everywhere in the tree',
      ),
  })
  .describe(
    'A port number of its own for a name on this minion. It is chosen once, from the range of the minion and past ' +
      'ports that something else listens on, and remembered, so that it never changes and no two names share one.',
  );

export const portAllocated = defineState<Named, Allocated>({
  name: 'port.allocated',
  schema,
  example: `openknesset port:
  port.allocated:
    name: openknesset
`,
  provides: ({ name }) => [`port:${name}`],
  read,
  want: ({ name }, host) => ({ port: host.port(name) }),
  apply,
});

async function read({ name }: Named, host: HostView): Promise<Allocated | null> {
  const remembered = await host.recall(`port:${name}`);
  return remembered === null ? null : { port: Number(remembered) };
}

async function apply(change: Change<Allocated>, { name }: Named, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  await host.remember(`port:${name}`, String(host.port(name)));
}
