import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import type { Surroundings } from '../../../shared/surroundings.ts';
import { isTreeDirectory } from '../../../shared/tree-file.ts';
import type { TreeDirectory } from '../../../shared/tree-file.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { absolutePath, fileMode } from '../lib/fields.ts';
import { needParents, wantedOwnership } from '../lib/ownership.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { pathPatterns } from './lib/choose.ts';
import { providedBelow } from './lib/clean.ts';
import { editFields, ownerFields, templateFields } from './lib/edit-fields.ts';
import { bringAbout, survey } from './lib/recursion.ts';
import { filesOf } from './lib/recursion-files.ts';
import { refused } from './lib/refused.ts';
import { shortList } from './lib/short-list.ts';

/** How a directory is compared with one of the tree. */
export type Recursed = {
  kind: 'directory';
  /** How many of the tree's files are right. */
  files: number;
  user: string;
  group: string;
  mode: string;
  /** What is not as it should be, and what of it. */
  differs: readonly string[];
  /** What is there and should not be, if that is asked. */
  clean?: readonly string[];
};

const FILES_ONLY = 'a tree holds files, and links within it are the files that they lead to';

const schema = z
  .strictObject({
    name: absolutePath.describe('Where the directory is'),
    source: z
      .custom<TreeDirectory>(isTreeDirectory, { error: 'expected a directory below templates/' })
      .meta({ type: 'string' })
      .describe(
        'A directory below templates/; files that end in .hbs are rendered, and named without it',
      ),
    ...ownerFields,
    dir_mode: fileMode
      .exactOptional()
      .describe('Permissions of the directories; new ones get 0755 if absent'),
    file_mode: z
      .union([z.literal('keep'), fileMode])
      .exactOptional()
      .describe(
        'Permissions of the files; `keep` for those that they have in the tree; new ones get 0644 if absent',
      ),
    clean: z
      .boolean()
      .default(false)
      .describe(
        'Whether all goes that is neither in the source nor brought about by another state',
      ),
    include_pat: pathPatterns
      .default([])
      .describe(
        'Only these files: globs, or regular expressions with E@ before them, for paths below the source',
      ),
    exclude_pat: pathPatterns
      .default([])
      .describe('Not these files; `clean` lets them stay where they are there already'),
    maxdepth: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('How deep the source is looked through; 0 is only what is directly in it'),
    replace: z
      .boolean()
      .default(true)
      .describe('`false` puts files where there are none and leaves later changes alone'),
    backup: editFields.backup,
    ...templateFields,
    keep_source: refused('no copy of the source is kept'),
    include_empty: refused(FILES_ONLY),
    keep_symlinks: refused(FILES_ONLY),
    force_symlinks: refused(FILES_ONLY),
    sym_mode: refused(FILES_ONLY),
  })
  .describe(
    'All files below a directory of the tree, in a directory of the host. Missing directories are made, also ' +
      'those above it. Each file is replaced in one step.',
  );

/** What is declared, and what other declarations bring about below it. */
export type RecurseArgs = z.infer<typeof schema> & { readonly kept?: readonly string[] };

async function read(args: RecurseArgs, host: HostView): Promise<Recursed | null> {
  const found = await survey(args, host);
  if (found === null) return null;
  const { user, group, mode } = found.status;
  return {
    kind: 'directory',
    files: found.right,
    user,
    group,
    mode,
    differs: shortList(found.wrong.map(({ path, why }) => `${path}: ${why}`)),
    ...(args.clean ? { clean: shortList(found.unwanted) } : {}),
  };
}

async function want(args: RecurseArgs, host: HostView): Promise<Partial<Recursed>> {
  const owners = await wantedOwnership(ownersArgs(args), host);
  const known = { kind: 'directory' as const, files: filesOf(args).length, ...owners };
  if ((await survey(args, host)) === null) return known;
  return { ...known, differs: [], ...(args.clean ? { clean: [] } : {}) };
}

function ownersArgs({ user, group, dir_mode: mode }: RecurseArgs) {
  return said({ user, group, mode });
}

async function apply(change: Change<Recursed>, args: RecurseArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const ownership = ownersArgs(args);
  if (change.action === 'create') {
    await needParents({ ...ownership, name: args.name, makedirs: true }, host);
    await host.makeDirectory(args.name, ownership);
  } else if ((change.to.user ?? change.to.group ?? change.to.mode) !== undefined) {
    await host.own(args.name, ownership);
  }
  await bringAbout(args, host);
}

export const fileRecurse = defineState({
  name: 'file.recurse',
  schema,
  example: `/etc/nginx/snippets:
  file.recurse:
    source: nginx/snippets
    file_mode: "0644"
    clean: true
`,
  treeDirectories: ['source'],
  provides: (args: RecurseArgs) => [
    `path:${args.name}`,
    ...filesOf(args).map(({ to }) => `path:${args.name}/${to}`),
  ],
  needs: ({ name, user, group }: RecurseArgs) => [
    ...parentsOf(name),
    ...ownersOf(said({ user, group })),
  ],
  knowing(args: RecurseArgs, surroundings: Surroundings): RecurseArgs {
    return args.clean ? { ...args, kept: providedBelow(args.name, surroundings) } : args;
  },
  read,
  want,
  apply,
});
