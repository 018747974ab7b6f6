import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';

type Allocated = { port: number };
type Named = { name: string };

const portName = z.string().regex(/^[^\0\r\n]{1,200}$/u);

const schema = z
  .strictObject({
    name: portName.describe(
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

export const portReleased = defineState<Named, Allocated>({
  name: 'port.released',
  schema: z
    .strictObject({ name: portName.describe('What the port was for') })
    .describe(
      'No port for that name any more: its number may be given to another. A tree that still asks for `{{ port NAME }}` ' +
        'keeps it.',
    ),
  example: `the old shop needs no port:
  port.released:
    name: old shop
`,
  read,
  want: () => null,
  apply,
});

async function read({ name }: Named, host: HostView): Promise<Allocated | null> {
  const remembered = await host.recall(`port:${name}`);
  return remembered === null ? null : { port: Number(remembered) };
}

async function apply(change: Change<Allocated>, { name }: Named, host: Host): Promise<void> {
  const number = change.action === 'remove' ? null : String(host.port(name));
  await host.remember(`port:${name}`, number);
}
