import { ConductorError, defineState, singleLine, z } from 'conductor';
import type { Change, Host, HostView } from 'conductor';
import { linesOf, PATH } from './lib/motd.ts';

type Line = { text: string };
type Greeting = { name: string; text: string };

const name = singleLine.min(1).describe('What the line begins with');
const text = singleLine
  .refine((said) => !said.includes('!'), { error: 'must not shout' })
  .describe('What goes on behind it');

async function read({ name: start }: { name: string }, host: HostView): Promise<Line | null> {
  const line = (await linesOf(host)).find((one) => one.startsWith(`${start}: `));
  return line === undefined ? null : { text: line.slice(start.length + 2) };
}

async function refuses(change: Change<Line>): Promise<void> {
  if (change.action === 'remove' || change.to.text !== 'nothing') return;
  throw new ConductorError('STATE_REFUSED', 'Cannot greet');
}

async function apply(
  change: Change<Line>,
  { name: start }: { name: string },
  host: Host,
): Promise<void> {
  const lines = (await linesOf(host)).filter((one) => !one.startsWith(`${start}: `));
  if (change.action !== 'remove') lines.push(`${start}: ${change.to.text ?? ''}`);
  await host.writeFile(PATH, lines.map((line) => `${line}\n`).join(''));
}

export const motdPresent = defineState({
  name: 'motd.present',
  schema: z
    .strictObject({ name, text })
    .describe('One line of the message that greets those who log in.'),
  example: `Welcome:
  motd.present:
    text: this host belongs to the web team
`,
  read,
  want: (args: Greeting) => ({ text: args.text }),
  refuses,
  apply,
});

export const motdAbsent = defineState({
  name: 'motd.absent',
  schema: z.strictObject({ name }).describe('No such line in the message that greets people.'),
  example: `Welcome:
  motd.absent: []
`,
  read,
  want: () => null,
  apply,
});
