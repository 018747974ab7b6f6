import { z } from 'zod';
import type { TextSource } from '../lib/text-source.ts';
import { accountName, accountNames } from '../lib/fields.ts';

const command = z.string().regex(/^(?:ALL|!?(?:sudoedit )?\/[^\0\r\n]*)$/u, {
  error: 'expected a command with its whole path, such as /usr/bin/systemctl restart shop, or ALL',
});

/** Who may run what, in place of a text. */
export const grantFields = {
  users: accountNames.exactOptional().describe('Users who may run the commands'),
  groups: accountNames.exactOptional().describe('Groups whose members may run the commands'),
  commands: z
    .union([z.array(command).min(1), command.transform((one) => [one])])
    .exactOptional()
    .describe('The commands, each with its whole path; ALL is any command'),
  runas: z
    .union([accountName, z.literal('ALL')])
    .exactOptional()
    .describe('As whom they may run them; ALL, any user, if absent'),
  nopasswd: z
    .boolean()
    .exactOptional()
    .describe('Whether they may do so without a password; false if absent'),
  setenv: z
    .boolean()
    .exactOptional()
    .describe('Whether they may keep variables of their environment; false if absent'),
};

export interface Grant extends TextSource {
  users?: readonly string[];
  groups?: readonly string[];
  commands?: readonly string[];
  runas?: string;
  nopasswd?: boolean;
  setenv?: boolean;
}

export function isOneKind(args: Grant): boolean {
  const { source, contents, users, groups, commands, runas, nopasswd, setenv } = args;
  const parts: readonly unknown[] = [users, groups, commands, runas, nopasswd, setenv];
  const isGrant = parts.some((one) => one !== undefined);
  return [source !== undefined, contents !== undefined, isGrant].filter(Boolean).length === 1;
}

export function isWholeRule({
  source,
  contents,
  users = [],
  groups = [],
  commands,
}: Grant): boolean {
  if (source !== undefined || contents !== undefined) return true;
  return commands !== undefined && users.length + groups.length > 0;
}
