import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { accountName, singleLine } from '../lib/fields.ts';
import {
  KEY_TYPES,
  isKeyOfType,
  keyFile,
  keyLine,
  noUser,
  parseKeyLine,
  readKeyLines,
  writeKeyLines,
} from './lib/authorized-keys.ts';
import { said } from '../lib/said.ts';
import type { AuthorizedKey } from './lib/authorized-keys.ts';

/** How one key is authorized. */
export type Authorization = { enc: string; options: readonly string[]; comment: string };

const shared = {
  name: singleLine.min(1).describe('The public key: alone, or as the line that ssh-keygen writes'),
  user: accountName.describe('Who may log in with it'),
  enc: z
    .enum(KEY_TYPES)
    .exactOptional()
    .describe('Type of the key, where `name` is the key alone; ssh-rsa if absent'),
  config: z
    .string()
    .regex(/^[^\0\n]+$/u)
    .default('.ssh/authorized_keys')
    .describe('The file, from the home directory; %h and %u stand for home and name'),
};

const notAKey = {
  error: 'expected a public key such as "ssh-ed25519 AAAA… somebody@somewhere"',
  path: ['name'],
};

const presentSchema = z
  .strictObject({
    ...shared,
    options: z
      .array(singleLine.min(1))
      .exactOptional()
      .describe('Restrictions of the key, such as no-pty or from="10.0.0.*"; none if empty'),
    comment: singleLine.exactOptional().describe('Remark behind the key'),
  })
  .refine((args) => keyOf(args) !== null, notAKey)
  .describe(
    "A public key that lets its holder log in as a user. Other lines of the user's file are kept byte for byte; " +
      'the file and its directory are made for the user alone.',
  );

const absentSchema = z
  .strictObject(shared)
  .refine((args) => keyOf(args) !== null, notAKey)
  .describe(
    'A public key that does not let anybody log in as a user, however its line is written.',
  );

type PresentArgs = z.infer<typeof presentSchema>;
type AbsentArgs = z.infer<typeof absentSchema>;

/** The declared key, from a whole line or from the key alone; `null` if it is none. */
function keyOf({ name, enc }: { name: string; enc?: string }): AuthorizedKey | null {
  const line = parseKeyLine(name);
  if (line !== null) return enc === undefined || enc === line.enc ? line : null;
  const [key = '', ...comment] = name.trim().split(/[ \t]+/u);
  const type = enc ?? 'ssh-rsa';
  if (!isKeyOfType(key, type)) return null;
  return { enc: type, key, options: [], comment: comment.join(' ') };
}

function sameKey(args: AbsentArgs) {
  const wanted = keyOf(args)?.key;
  return (line: string) => parseKeyLine(line)?.key === wanted;
}

async function read(args: AbsentArgs, host: HostView): Promise<Authorization | null> {
  const path = await keyFile(args, host);
  if (path === null) return null;
  const line = (await readKeyLines(path, host)).find(sameKey(args));
  const found = line === undefined ? null : parseKeyLine(line);
  if (found === null) return null;
  const comment = Buffer.from(found.comment, 'latin1').toString('utf8');
  return { enc: found.enc, options: found.options, comment };
}

function want(args: PresentArgs): Partial<Authorization> {
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
  const path = await keyFile(args, host);
  if (path === null) throw noUser(args.user);
  const given = keyOf(args);
  if (given === null || change.action === 'remove') return;
  const lines = await readKeyLines(path, host);
  const from = change.action === 'update' ? change.from : {};
  const line = encoded(keyLine({ ...given, ...from, ...want(args) }));
  const at = lines.findIndex(sameKey(args));
  await writeKeyLines(args.user, path, at === -1 ? [...lines, line] : lines.with(at, line), host);
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
  const isIt = sameKey(args);
  const lines = (await readKeyLines(path, host)).filter((line) => !isIt(line));
  await writeKeyLines(args.user, path, lines, host);
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
  needs: ({ user }: PresentArgs) => [`user:${user}`],
  read,
  want,
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
  read,
  want: () => null,
  apply: applyAbsent,
});
