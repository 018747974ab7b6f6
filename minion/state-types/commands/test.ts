import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import { refusedArgument } from '../lib/fields.ts';

/** States for learning and for tests, and for trees that refuse what they cannot do. They touch nothing on the host. */

/** What a state pretends to have made. */
type Pretended = { done: boolean };

const name = z.string().min(1).describe('A title');
const comment = z
  .string()
  .min(1)
  .exactOptional()
  .describe('What it says; something fitting if absent');

const untouched = async (): Promise<Pretended | null> => ({ done: false });
const nothing = (): Partial<Pretended> => ({});
const everything = (): Partial<Pretended> => ({ done: true });
const noEffect = async (): Promise<void> => undefined;

interface Commented {
  readonly name: string;
  readonly comment?: string;
}

function refusal({ name: title, comment: said }: Commented): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    said ?? `Cannot go on at "${title}": it is meant to fail`,
    { lacks: [] },
  );
}

export const testNop = defineState({
  name: 'test.nop',
  schema: z
    .strictObject({ name })
    .describe('Does nothing. Others can require it, or hang their requisites on it.'),
  example: `all is set up:
  test.nop:
    require: [{user: shop}]

shop:
  user.present: {}
`,
  read: untouched,
  want: nothing,
  apply: noEffect,
});

export const testSucceedWithoutChanges = defineState({
  name: 'test.succeed_without_changes',
  schema: z
    .strictObject({ name, comment })
    .describe('Succeeds and changes nothing; a comment is shown in the report.'),
  example: `nothing to do:
  test.succeed_without_changes: {}
`,
  read: untouched,
  want: nothing,
  apply: noEffect,
  says: ({ comment: said = '' }: Commented): string => said,
});

export const testSucceedWithChanges = defineState({
  name: 'test.succeed_with_changes',
  schema: z
    .strictObject({ name, comment })
    .describe('Says each time that it has changed something, so that what watches it reacts.'),
  example: `pretend:
  test.succeed_with_changes: {}
`,
  oneShot: true,
  reach: 'nothing',
  read: untouched,
  want: everything,
  apply: noEffect,
});

export const testFailWithoutChanges = defineState({
  name: 'test.fail_without_changes',
  schema: z
    .strictObject({ name, comment })
    .describe(
      'Fails, in a dry run too. With `when` and `failhard: true` a tree refuses machines that it is not made for.',
    ),
  example: `only Debian:
  test.fail_without_changes:
    comment: This tree is made for Debian
    when: "{{ ne (default facts.os '') 'Debian' }}"
    failhard: true
`,
  read: async (args: Commented): Promise<Pretended | null> => {
    throw refusal(args);
  },
  want: nothing,
  apply: noEffect,
});

export const testFailWithChanges = defineState({
  name: 'test.fail_with_changes',
  schema: z
    .strictObject({ name, comment })
    .describe('Fails while it changes something: a dry run foresees the change, and a run fails.'),
  example: `break:
  test.fail_with_changes:
    comment: To see what requires it being skipped
`,
  oneShot: true,
  reach: 'nothing',
  read: untouched,
  want: everything,
  apply: async (_change: Change<Pretended>, args: Commented): Promise<void> => {
    throw refusal(args);
  },
});

const chance = refusedArgument('what is left to chance, no dry run can foresee');

const configurable = z
  .strictObject({
    name,
    changes: z.boolean().default(true).describe('Whether it says that it changes something'),
    result: z.boolean().default(true).describe('Whether it succeeds'),
    comment,
    warnings: chance,
  })
  .describe('Does and says what its arguments tell it to: to try out requisites and reactions.');

type Configured = z.infer<typeof configurable>;

export const testConfigurable = defineState({
  name: 'test.configurable_test_state',
  schema: configurable,
  example: `changes and fails:
  test.configurable_test_state:
    changes: true
    result: false
    comment: As told
`,
  oneShot: true,
  reach: 'nothing',
  async read(args: Configured): Promise<Pretended | null> {
    if (!args.result && !args.changes) throw refusal(args);
    return { done: !args.changes };
  },
  want: everything,
  async apply(_change: Change<Pretended>, args: Configured): Promise<void> {
    if (!args.result) throw refusal(args);
  },
  says: ({ comment: said = '' }: Configured): string => said,
});

const notification = z
  .strictObject({ name, text: z.string().min(1).describe('What is shown') })
  .describe('Shows a text in the report of every run, and changes nothing.');

export const testShowNotification = defineState({
  name: 'test.show_notification',
  schema: notification,
  example: `remember:
  test.show_notification:
    text: The certificate of shop.example is renewed by hand
`,
  read: untouched,
  want: nothing,
  apply: noEffect,
  says: ({ text }: z.infer<typeof notification>): string => text,
});
