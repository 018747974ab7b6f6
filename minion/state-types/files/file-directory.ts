import { posix } from 'node:path';
import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { ownBelow, strays } from './lib/below.ts';
import type { BelowArgs } from './lib/below.ts';
import { absolutePath, accountReference, fileMode } from '../lib/fields.ts';
import { followLinks, needParents, refuseKind, wantedOwnership } from '../lib/ownership.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';

/** How one directory is. */
export type Directory = {
  kind: 'file' | 'directory' | 'symlink' | 'other';
  user: string;
  group: string;
  mode: string;
  /** What below it differs from what is asked for, if that is asked. */
  recurse?: readonly string[];
};

const RECURSE = ['user', 'group', 'mode', 'ignore_files', 'ignore_dirs'] as const;

const schema = z
  .strictObject({
    name: absolutePath.describe('Where the directory is'),
    user: accountReference.exactOptional().describe('Owner, by name or number'),
    group: accountReference.exactOptional().describe('Group, by name or number'),
    mode: fileMode.exactOptional().describe('Permissions; a new directory gets 0755 if absent'),
    dir_mode: fileMode.exactOptional().describe('The same as `mode`, as Salt calls it'),
    file_mode: fileMode
      .exactOptional()
      .describe('Permissions of the files below it, with `recurse: [mode]`'),
    recurse: z
      .array(z.enum(RECURSE))
      .default([])
      .describe(
        'What all that is below it gets as well: `user`, `group`, `mode`; with `ignore_files` or `ignore_dirs`, modes of directories or files only',
      ),
    max_depth: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('How deep `recurse` goes; 0 is only what is directly in the directory'),
    makedirs: z
      .boolean()
      .default(false)
      .describe('Whether missing directories above it are made, with the same owners'),
    follow_symlinks: z
      .boolean()
      .default(true)
      .describe('Whether a symbolic link of root at this path is followed'),
    force: z
      .boolean()
      .default(false)
      .describe('Whether a file or link that stands at this path is removed to make room'),
    backupname: absolutePath
      .exactOptional()
      .describe('Where a file or link that stands at this path is moved to make room'),
  })
  .refine(({ mode, dir_mode: dirMode }) => mode === undefined || dirMode === undefined, {
    error: '`mode` and `dir_mode` are the same: give one of them',
    path: ['dir_mode'],
  })
  .refine((args) => args.recurse.every((what) => isSaid(what, args)), {
    error:
      'names something that is not given: `user`, `group` or one of `dir_mode` and `file_mode`',
    path: ['recurse'],
  })
  .describe(
    'A directory with these owners and permissions, and with `recurse` everything below it too. ' +
      'Symbolic links below it are given the owners themselves and are never followed.',
  );

function isSaid(what: (typeof RECURSE)[number], args: Readonly<Record<string, unknown>>): boolean {
  if (what === 'mode') return (args['mode'] ?? args['dir_mode'] ?? args['file_mode']) !== undefined;
  return what.startsWith('ignore') || args[what] !== undefined;
}

type Args = z.infer<typeof schema>;

async function locate({ name, follow_symlinks: follow }: Args, host: HostView): Promise<string> {
  return follow ? followLinks(name, host) : name;
}

async function read(args: Args, host: HostView): Promise<Directory | null> {
  const path = await locate(args, host);
  const status = await host.status(path);
  if (status === null) return null;
  if (status.kind !== 'directory' && !args.force && args.backupname === undefined) {
    refuseKind(path, status, 'a directory');
  }
  const { kind, user, group, mode } = status;
  const isAsked = kind === 'directory' && args.recurse.length > 0;
  const recurse = isAsked ? { recurse: await strays(belowArgs(path, args), host) } : {};
  return { kind, user, group, mode, ...recurse };
}

function belowArgs(path: string, args: Args): BelowArgs {
  const { recurse, user, group, mode, dir_mode: dirMode = mode, file_mode: files } = args;
  const dirs = recurse.includes('mode') && !recurse.includes('ignore_dirs');
  const ordinary = recurse.includes('mode') && !recurse.includes('ignore_files');
  return {
    path,
    ...said({
      user: recurse.includes('user') ? user : undefined,
      group: recurse.includes('group') ? group : undefined,
      dirMode: dirs ? dirMode : undefined,
      fileMode: ordinary ? files : undefined,
      maxDepth: args.max_depth,
    }),
  };
}

async function want(args: Args, host: HostView): Promise<Partial<Directory>> {
  const owners = await wantedOwnership(ownersArgs(args), host);
  return { kind: 'directory', ...owners, ...(args.recurse.length > 0 ? { recurse: [] } : {}) };
}

function ownersArgs({ user, group, mode, dir_mode: dirMode = mode }: Args) {
  return said({ user, group, mode: dirMode });
}

async function apply(change: Change<Directory>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const path = await locate(args, host);
  const { kind, user, group, mode, recurse } = change.to;
  if (kind !== undefined) await make(path, change.action === 'update', args, host);
  else if ((user ?? group ?? mode) !== undefined) await host.own(path, ownersArgs(args));
  const isNew = change.action === 'create' || kind !== undefined;
  if (recurse !== undefined && !isNew) await ownBelow(belowArgs(path, args), host);
}

async function make(path: string, isInTheWay: boolean, args: Args, host: Host): Promise<void> {
  const ownership = ownersArgs(args);
  if (isInTheWay) await makeRoom(path, args, host);
  await needParents({ ...ownership, name: path, makedirs: args.makedirs }, host);
  await host.makeDirectory(path, ownership);
}

async function makeRoom(path: string, { backupname }: Args, host: Host): Promise<void> {
  if (backupname === undefined) await host.remove(path);
  else await host.rename(path, backupname);
}

export const fileDirectory = defineState({
  name: 'file.directory',
  schema,
  example: `/srv/projects:
  file.directory:
    user: root
    group: adm
    mode: "0750"
    makedirs: true
`,
  provides: ({ name }: Args) => [`path:${name}`],
  needs: ({ name, backupname, ...args }: Args) => [
    ...parentsOf(name),
    ...(backupname === undefined ? [] : [`path:${posix.dirname(backupname)}`]),
    ...ownersOf(ownersArgs({ name, ...args })),
  ],
  read,
  want,
  apply,
});
