import { z } from 'zod';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { HostView } from '../../host/host.ts';
import { lastWords } from '../lib/ask.ts';
import { accountName } from '../lib/fields.ts';
import { ownersOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';

/** That all that is asserted is so. */
type Assertion = { holds: boolean };

const truth = z.boolean({
  error: 'expected true or false, such as an expression gives: "{{ gt facts.cpus 1 }}"',
});
const line = z.string().regex(/^[^\0]*\S[^\0]*$/u);

const schema = z
  .strictObject({
    name: z.string().min(1).describe('A title'),
    that: z
      .union([truth, z.array(truth).min(1)])
      .transform((all) => [all].flat())
      .exactOptional()
      .describe('What must be true: an expression of the tree, or several'),
    command: z
      .union([line, z.array(line).min(1)])
      .transform((all) => [all].flat())
      .exactOptional()
      .describe('Command lines that only look, and must succeed'),
    runas: accountName.exactOptional().describe('Who runs the commands; root if absent'),
    message: z.string().min(1).describe('What whoever reads the report is told if it is not so'),
  })
  .refine(({ that, command }) => that !== undefined || command !== undefined, {
    error: 'needs "that" or "command": there is nothing to assert',
  })
  .describe(
    'Fails with a message unless what is asserted is so, in a dry run too. Nothing is changed. With `failhard: true` ' +
      'the run ends there; what requires it is skipped.',
  );

type Args = z.infer<typeof schema>;

/** Takes the line from standard input: a secret in it never stands in an argument. */
const SHELL = ['/bin/sh', '-c', 'eval "$(cat)"'] as const;

async function read(
  { that = [], command = [], runas, message }: Args,
  host: HostView,
): Promise<Assertion> {
  if (that.includes(false)) throw new ConductorError('CHECK_FAILED', message);
  for (const input of command) {
    const output = await host.query(SHELL, { input, ...said({ user: runas }) });
    if (output.exitCode !== 0)
      throw new ConductorError('CHECK_FAILED', message, { output: lastWords(output, 20) });
  }
  return { holds: true };
}

export const assertThat = defineState({
  name: 'assert.that',
  schema,
  example: `enough room for the database:
  assert.that:
    that: "{{ ne pillar.databases.shop.password '' }}"
    command: test "$(stat --file-system --format=%a /)" -gt 1000
    message: The database needs a password and room on the disk
    failhard: true
`,
  needs: ({ runas }: Args) => ownersOf(said({ user: runas })),
  read,
  want: (): Partial<Assertion> => ({ holds: true }),
  // What is not so has been told by then: there is never a change to carry out.
  apply: async () => undefined,
});
