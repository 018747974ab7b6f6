import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { isTreeFile } from '../../../shared/tree-file.ts';
import type { TreeFile } from '../../../shared/tree-file.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { accountName, singleLine } from '../lib/fields.ts';
import {
  keyFile,
  keyLine,
  needKeyOwner,
  neededKeyFile,
  parseKeyLine,
  readKeyLines,
  writeKeyLines,
} from './lib/authorized-keys.ts';
import { said } from '../lib/said.ts';
import type { AuthorizedKey } from './lib/authorized-keys.ts';
import { keysGone, keysThere } from './lib/key-settled.ts';
import { keysIn, plainKey } from './lib/given-keys.ts';
import { configField, encField, optionsField } from './ssh-auth-schema.ts';

/** How one key is authorized; of a file of keys, the lines of those that are. */
export type Authorization = {
  enc?: string;
  options?: readonly string[];
  comment?: string;
  source?: readonly string[];
};

const shared = {
  name: singleLine
    .min(1)
    .describe(
      'The public key: alone, or as the line that ssh-keygen writes; any name with `source`',
    ),
  user: accountName.describe('Who may log in with it'),
  enc: encField,
  source: z
    .custom<TreeFile>(isTreeFile, { error: 'expected a file below templates/' })
    .meta({ type: 'string' })
    .exactOptional()
    .describe('A file below templates/ with a key on each line, in place of `name`'),
  config: configField,
};

const notAKey = {
  error: 'expected a public key such as "ssh-ed25519 AAAA… somebody@somewhere"',
  path: ['name'],
};

const presentSchema = z
  .strictObject({
    ...shared,
    options: optionsField,
    comment: singleLine.exactOptional().describe('Remark behind the key'),
  })
  .refine((args) => args.source !== undefined || keyOf(args) !== null, notAKey)
  .describe(
    "A public key that lets its holder log in as a user, or all keys of a file. Other lines of the user's file are kept " +
      'byte for byte; the file and its directory are made for the user alone.',
  );

const absentSchema = z
  .strictObject({
    ...shared,
    options: optionsField.describe('Say nothing here: the key goes whatever its options'),
    comment: singleLine.exactOptional().describe('Says nothing here: the key alone counts'),
  })
  .refine((args) => args.source !== undefined || keyOf(args) !== null, notAKey)
  .describe(
    'A public key, or all keys of a file, that do not let anybody log in as a user, however their lines are written.',
  );

type PresentArgs = z.infer<typeof presentSchema>;
type AbsentArgs = z.infer<typeof absentSchema>;

/** The declared key, from a whole line or from the key alone; `null` if it is none. */
function keyOf({ name, enc }: { name: string; enc?: string }): AuthorizedKey | null {
  return plainKey(name, enc);
}

function givenKeys(args: AbsentArgs): readonly AuthorizedKey[] {
  if (args.source !== undefined) return keysIn(args);
  const key = keyOf(args);
  return key === null ? [] : [key];
}

function sameKey({ key }: AuthorizedKey) {
  return (line: string) => parseKeyLine(line)?.key === key;
}

async function read(args: AbsentArgs, host: HostView): Promise<Authorization | null> {
  const path = await keyFile(args, host);
  if (path === null) return null;
  const lines = await readKeyLines(path, host);
  const found = givenKeys(args).flatMap((key) => lines.find(sameKey(key)) ?? []);
  const [first] = found.map(parseKeyLine);
  if (first === undefined || first === null) return null;
  if (args.source !== undefined) return { source: found.map(shown) };
  return { enc: first.enc, options: first.options, comment: decoded(first.comment) };
}

function decoded(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** A line of a file in the form in which lines are compared. */
function shown(line: string): string {
  const key = parseKeyLine(line);
  return key === null ? line : decoded(keyLine(key));
}

function want(args: PresentArgs): Partial<Authorization> {
  if (args.source !== undefined) return { source: keysIn(args).map(keyLine) };
  const { enc, options = [], comment = '' } = keyOf(args) ?? {};
  return said({
    enc,
    options: args.options ?? (options.length > 0 ? options : undefined),
    comment: args.comment ?? (comment === '' ? undefined : comment),
  });
}

async function applyPresent(
  change: Change<Authorization>,
  args: PresentArgs,
  host: Host,
): Promise<void> {
  const path = await neededKeyFile(args, host);
  if (change.action === 'remove') return;
  const from = change.action === 'update' && args.source === undefined ? change.from : {};
  const asked = args.source === undefined ? want(args) : {};
  const lines = await readKeyLines(path, host);
  for (const given of givenKeys(args)) {
    const line = encoded(keyLine({ ...given, ...said({ ...from }), ...asked }));
    const at = lines.findIndex(sameKey(given));
    lines.splice(at === -1 ? lines.length : at, at === -1 ? 0 : 1, line);
  }
  await writeKeyLines(args.user, path, lines, host);
}

function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

async function applyAbsent(
  _change: Change<Authorization>,
  args: AbsentArgs,
  host: Host,
): Promise<void> {
  const path = await keyFile(args, host);
  if (path === null) return;
  const tests = givenKeys(args).map(sameKey);
  const lines = await readKeyLines(path, host);
  const kept = lines.filter((line) => !tests.some((isIt) => isIt(line)));
  await writeKeyLines(args.user, path, kept, host);
}

const EXAMPLE_KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIJvZ1Xn2cYKpQyQWmY4rTtqYx7mGdYwQ3m1b7f0q3o9a';

export const sshAuthPresent = defineState({
  name: 'ssh_auth.present',
  schema: presentSchema,
  example: `dana may log in as www-data:
  ssh_auth.present:
    name: ssh-ed25519 ${EXAMPLE_KEY} dana@example.org
    user: www-data
    options: [no-port-forwarding]
`,
  treeFiles: ['source'],
  settles: (args: PresentArgs) =>
    keysThere(givenKeys(args), (key) => (args.source === undefined ? want(args) : key), args),
  needs: ({ user }: PresentArgs) => [`user:${user}`],
  read,
  async want(args, host) {
    await needKeyOwner(args.user, host);
    return want(args);
  },
  apply: applyPresent,
});

export const sshAuthAbsent = defineState({
  name: 'ssh_auth.absent',
  schema: absentSchema,
  example: `old key of dana:
  ssh_auth.absent:
    name: ssh-ed25519 ${EXAMPLE_KEY}
    user: www-data
`,
  treeFiles: ['source'],
  settles: (args: AbsentArgs) => keysGone(givenKeys(args), args),
  read,
  want: () => null,
  apply: applyAbsent,
});
