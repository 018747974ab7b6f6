import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { refuseConfiguration, replaceConfiguration } from '../lib/staged.ts';
import type { Piece } from '../lib/rehearse.ts';
import { textSource } from '../lib/text-source.ts';
import { fileSettled } from '../lib/settled.ts';
import { ruleText } from './lib/sudoers.ts';
import { grantFields, isOneKind, isWholeRule } from './sudo-schema.ts';

/** A file of rules of sudo. */
export type Rule = { content: string; user: string; group: string; mode: string };

const DIRECTORY = '/etc/sudoers.d';

const nameField = z
  .string()
  .regex(/^[\w-][\w+-]{0,99}$/u, {
    error: 'expected a name without a dot and "~", for sudo passes over such files',
  })
  .describe('Name of the file in /etc/sudoers.d');

const schema = z
  .strictObject({ name: nameField, ...grantFields, ...textSource })
  .refine(isOneKind, {
    error: 'expected one of `contents`, `source`, or `commands` with `users` or `groups`',
    path: ['contents'],
  })
  .refine(isWholeRule, {
    error: 'a rule says who (`users`, `groups`) may run what (`commands`)',
    path: ['commands'],
  })
  .describe(
    'Rules of sudo: a file in /etc/sudoers.d, made of who may run which commands, or given as a text. `visudo` reads all ' +
      'rules of the host with the new file among them before it is put in place; what it refuses changes nothing. A rule ' +
      'that it takes can still shut everybody out: keep another way in.',
  );

const absentSchema = z
  .strictObject({ name: nameField })
  .describe(
    'No file of rules of this name in /etc/sudoers.d. The rules that are left are read first.',
  );

type Args = z.infer<typeof schema>;
type Named = { name: string };

async function read({ name }: Named, host: HostView): Promise<Rule | null> {
  const path = `${DIRECTORY}/${name}`;
  const status = await host.status(path);
  if (status === null) return null;
  const bytes = await host.readFile(path);
  const { user, group, mode } = status;
  return { content: Buffer.from(bytes ?? []).toString(), user, group, mode };
}

/** Nobody holds the old rules: sudo reads them anew each time. */
const nobody = (): Promise<void> => Promise.resolve();

function changeOf(name: string, piece: Piece) {
  return {
    what: `the sudo rule "${name}"`,
    directory: DIRECTORY,
    pieces: new Map([[`${DIRECTORY}/${name}`, piece]]),
  };
}

/** All rules are read with this change among them. */
async function refuseRules(name: string, piece: Piece, host: HostView): Promise<void> {
  const check = ['visudo', '--check', '--strict'] as const;
  await refuseConfiguration({ ...changeOf(name, piece), check }, host);
}

async function put(name: string, piece: Piece, host: Host): Promise<void> {
  await replaceConfiguration(host, {
    ...changeOf(name, piece),
    check: null,
    take: nobody,
    takeBack: nobody,
    mark: `sudo.rule:${name}`,
    taken: null,
  });
}

function fileOf(args: Args): Piece {
  return { kind: 'file', content: ruleText(args), mode: '0440' };
}

export const sudoRule = defineState({
  name: 'sudo.rule',
  schema,
  example: `deploy may restart the shop:
  sudo.rule:
    name: deploy
    users: [www-data]
    commands: [/usr/bin/systemctl restart shop]
    nopasswd: true
`,
  treeFiles: ['source'],
  textAttribute: 'content',
  provides: ({ name }: Args) => [`path:${DIRECTORY}/${name}`],
  settles: (args: Args) => fileSettled(`${DIRECTORY}/${args.name}`, ruleText(args)),
  needs: ({ users = [], groups = [] }: Args) => [
    'package:sudo',
    ...users.map((user) => `user:${user}`),
    ...groups.map((group) => `group:${group}`),
  ],
  read,
  want: (args: Args): Partial<Rule> => ({
    content: ruleText(args),
    user: 'root',
    group: 'root',
    mode: '0440',
  }),
  refuses: async (_change: Change<Rule>, args: Args, host: HostView) =>
    refuseRules(args.name, fileOf(args), host),
  apply: async (_change: Change<Rule>, args: Args, host: Host) =>
    put(args.name, fileOf(args), host),
});

export const sudoRuleAbsent = defineState({
  name: 'sudo.rule_absent',
  schema: absentSchema,
  example: `deploy:
  sudo.rule_absent: {}
`,
  textAttribute: 'content',
  needs: () => ['package:sudo'],
  read,
  want: () => null,
  refuses: async (_change: Change<Rule>, { name }: Named, host: HostView) =>
    refuseRules(name, null, host),
  apply: async (_change: Change<Rule>, { name }: Named, host: Host) => put(name, null, host),
});
