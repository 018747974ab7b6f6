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
import { keysIn, plainKey } from './lib/given-keys.ts';
import { configField, encField, optionsField } from './ssh-auth-schema.ts';

/** Who may log in as a user: the lines of all keys, in order. */
export type Keys = { ssh_keys: readonly string[] };

const schema = z
  .strictObject({
    name: z.string().min(1).describe('Any name; the keys are given by `ssh_keys` or `source`'),
    user: accountName.describe('Who may log in with these keys and no others'),
    ssh_keys: z
      .array(singleLine.min(1))
      .exactOptional()
      .describe('The public keys, each alone or as the line that ssh-keygen writes; none if empty'),
    source: z
      .custom<TreeFile>(isTreeFile, { error: 'expected a file below templates/' })
      .meta({ type: 'string' })
      .exactOptional()
      .describe('A file below templates/ with a key on each line'),
    enc: encField,
    options: optionsField,
    comment: singleLine.exactOptional().describe('Remark behind each key that has none of its own'),
    config: configField,
  })
  .refine(({ ssh_keys: keys, source }) => (keys === undefined) !== (source === undefined), {
    error: 'expected either `ssh_keys` or `source`',
    path: ['ssh_keys'],
  })
  .superRefine((args, context) => {
    for (const text of args.ssh_keys ?? [])
      if (plainKey(text, args.enc) === null)
        context.addIssue({
          code: 'custom',
          path: ['ssh_keys'],
          message: `"${text.slice(0, 40)}…" is no public key`,
        });
  })
  .describe(
    'Exactly these public keys let their holders log in as a user. Every other line that sshd could read as a key is taken ' +
      'away; empty lines and remarks stay.',
  );

type Args = z.infer<typeof schema>;

/** A line that sshd passes over. */
function isRemark(line: string): boolean {
  return /^\s*(?:#|$)/u.test(line);
}

function canonical(line: string): string {
  const key = parseKeyLine(line);
  return key === null ? line.trim() : keyLine(key);
}

async function read(args: Args, host: HostView): Promise<Keys> {
  const path = await keyFile(args, host);
  const lines = path === null ? [] : await readKeyLines(path, host);
  const keys = lines.filter((line) => !isRemark(line)).map(canonical);
  return { ssh_keys: keys.map(decoded).toSorted() };
}

function decoded(line: string): string {
  return Buffer.from(line, 'latin1').toString('utf8');
}

function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function wantedLines(args: Args): string[] {
  return [...new Set(keysIn(args).map(keyLine))].toSorted();
}

/** Lines that are right stay where they are; new ones come below. */
async function apply(_change: Change<Keys>, args: Args, host: Host): Promise<void> {
  const path = await neededKeyFile(args, host);
  const left = new Set(wantedLines(args).map(encoded));
  const lines = await readKeyLines(path, host);
  const kept = lines.filter((line) => isRemark(line) || left.delete(canonical(line)));
  await writeKeyLines(args.user, path, [...kept, ...left], host);
}

const EXAMPLE_KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIJvZ1Xn2cYKpQyQWmY4rTtqYx7mGdYwQ3m1b7f0q3o9a';

export const sshAuthManage = defineState({
  name: 'ssh_auth.manage',
  schema,
  example: `only dana may log in as deploy:
  ssh_auth.manage:
    user: www-data
    ssh_keys:
      - ssh-ed25519 ${EXAMPLE_KEY} dana@example.org
`,
  treeFiles: ['source'],
  needs: ({ user }: Args) => [`user:${user}`],
  read,
  async want(args: Args, host): Promise<Partial<Keys>> {
    await needKeyOwner(args.user, host);
    return { ssh_keys: wantedLines(args) };
  },
  apply,
});
