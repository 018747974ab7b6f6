import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { singleLine } from '../lib/fields.ts';
import { variablesIn, withVariables } from './lib/environment-file.ts';

/** Variables by name; `null` is not set. */
export type Variables = { [name: string]: string | null };

type One = string | false | null;

const FILE = '/etc/environment';
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/u;

/** In this file nothing can be quoted, so a value that needs it cannot be given. */
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]).pipe(
  z.union([
    z.literal(false),
    z.null(),
    z
      .union([z.string(), z.number(), z.literal(true)])
      .transform(String)
      .pipe(
        singleLine.regex(/^[^"\\]*$/u, {
          error: 'expected a value without quotation marks and backslashes',
        }),
      ),
  ]),
);

const schema = z
  .strictObject({
    name: z.string().min(1).describe('Name of the variable; any name where `value` is a mapping'),
    value: z
      .union([value, z.record(z.string().regex(NAME), value)])
      .describe('Its value, or a mapping of several variables to their values; null removes one'),
    false_unsets: z
      .boolean()
      .default(false)
      .describe('Whether the value false removes a variable; otherwise it is made empty'),
    clear_all: z.boolean().default(false).describe('Whether all other variables are removed'),
    update_minion: z
      .boolean()
      .refine((is) => !is, {
        error:
          'the minion has no environment to change: every command gets a small clean one, and `env` of cmd.run adds to it',
      })
      .default(false)
      .describe('Refused if true: commands of a run get a clean environment and `env` adds to it'),
    permanent: z
      .boolean()
      .refine((is) => is, {
        error:
          'expected true: a variable of this run alone would reach no command (`env` of cmd.run sets one for a command)',
      })
      .prefault(false)
      .describe('Must be true: it is written to /etc/environment'),
  })
  .refine(({ name, value: given }) => isSeveral(given) || NAME.test(name), {
    error: 'expected the name of a variable',
    path: ['name'],
  })
  .describe(
    'Variables in /etc/environment, which everybody who logs in gets from then on, and cron too. What runs already and ' +
      'the commands of this run do not: each of those gets a small clean environment, to which `env` of cmd.run adds.',
  );

type Args = z.infer<typeof schema>;

function isSeveral(given: One | Record<string, One>): given is Record<string, One> {
  return typeof given === 'object' && given !== null;
}

function withoutFalse(one: One, unsets: boolean): string | null {
  if (one !== false) return one;
  return unsets ? null : '';
}

function asked({ name, value: given, false_unsets: unsets }: Args): Variables {
  const several = isSeveral(given) ? given : { [name]: given };
  return Object.fromEntries(
    Object.entries(several).map(([variable, one]) => [variable, withoutFalse(one, unsets)]),
  );
}

async function textOf(host: HostView): Promise<string> {
  return Buffer.from((await host.readFile(FILE)) ?? []).toString('latin1');
}

async function read(args: Args, host: HostView): Promise<Variables> {
  const there = Object.fromEntries(variablesIn(await textOf(host)));
  const none = Object.fromEntries(Object.keys(asked(args)).map((name) => [name, null]));
  return { ...none, ...there };
}

async function want(args: Args, host: HostView): Promise<Variables> {
  if (!args.clear_all) return asked(args);
  const others = [...variablesIn(await textOf(host)).keys()];
  return { ...Object.fromEntries(others.map((name) => [name, null])), ...asked(args) };
}

async function apply(change: Change<Variables>, _args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const text = withVariables(await textOf(host), change.to);
  await host.writeFile(FILE, Buffer.from(text, 'latin1'));
}

export const environSetenv = defineState({
  name: 'environ.setenv',
  isRelative: true,
  schema,
  example: `DJANGO_SETTINGS_MODULE:
  environ.setenv:
    value: shop.settings
    permanent: true
`,
  publishes:
    'everybody reads /etc/environment: give a secret to the one program that needs it, in a file of file.managed',
  read,
  want,
  apply,
});
