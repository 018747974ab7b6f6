import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { singleLine } from '../lib/fields.ts';
import { whenUnlocked } from './lib/apt.ts';
import { readAnswers } from './lib/debconf.ts';

/** The answer to each question that is declared. */
type Answers = Readonly<Record<string, string>>;

const TYPES = [
  'boolean',
  'error',
  'multiselect',
  'note',
  'password',
  'select',
  'string',
  'text',
  'title',
] as const;

const answer = z.strictObject({
  type: z.enum(TYPES),
  value: z
    .union([z.boolean(), z.number(), singleLine])
    .transform(String)
    .refine((text) => !/^\s|\\$/u.test(text), {
      error: 'debconf can take no answer that begins with a space or ends with a backslash',
    })
    .meta({ secret: true })
    .describe('The answer'),
});

const question = z.string().regex(/^[A-Za-z0-9][^\s,]*$/u, {
  error: 'expected the name of a question, such as postfix/mailname',
});

const schema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.+-]*$/u, { error: 'expected the name of a Debian package' })
      .describe('The package that asks'),
    data: z
      .record(question, answer)
      .refine((questions) => Object.keys(questions).length > 0, {
        error: 'expected at least one question',
      })
      .describe('For each question its `type` and its `value`, the answer'),
  })
  .describe(
    'Answers to what a Debian package would ask at its installation, given beforehand. They count as given by a person, so ' +
      'nothing asks again. Answers of type `password` reach debconf on its standard input and are shown nowhere.',
  );

type Args = z.infer<typeof schema>;

const PUBLIC =
  'everybody reads answers of all types but "password" in /var/cache/debconf/config.dat: give it that type, if its package asks it so';

/** Stands for a password, of which nothing may be told. */
const RIGHT = '(as declared)';
const WRONG = '(another one)';

async function read({ data }: Args, host: HostView): Promise<Answers | null> {
  const answers = await readAnswers(host);
  const found = Object.entries(data).flatMap(([name, { type, value }]) => {
    const is = answers.get(name);
    if (is === undefined) return [];
    if (type !== 'password') return [[name, is] as const];
    return [[name, is === value ? RIGHT : WRONG] as const];
  });
  return found.length === 0 ? null : Object.fromEntries(found);
}

function want({ data }: Args): Answers {
  const answers = Object.entries(data).map(
    ([name, { type, value }]) => [name, type === 'password' ? RIGHT : value] as const,
  );
  return Object.fromEntries(answers);
}

async function apply(change: Change<Answers>, { name, data }: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const lines = Object.keys(change.to).flatMap((one) => {
    const given = data[one];
    return given === undefined ? [] : [`${name} ${one} ${given.type} ${given.value}\n`];
  });
  await whenUnlocked(['debconf-set-selections'], host, lines.join(''));
  host.changed('debconf');
}

export const debconfSet = defineState<Args, Answers>({
  name: 'debconf.set',
  schema,
  example: `postfix:
  debconf.set:
    data:
      postfix/main_mailer_type: {type: select, value: Internet Site}
      postfix/mailname: {type: string, value: mail.example.org}
  pkg.installed: []
`,
  publishesAt: ({ data }, [, question = '']) =>
    data[question]?.type === 'password' ? null : PUBLIC,
  provides: ({ name }) => [`debconf:${name}`],
  read,
  want,
  apply,
});
