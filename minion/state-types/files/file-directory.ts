import { posix } from 'node:path';
import type { Change } from '../../../shared/change.ts';
import type { Surroundings } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import type { FoundBelow, Host, HostView } from '../../host/host.ts';
import { directorySchema } from './file-directory-schema.ts';
import type { DirectoryArgs } from './file-directory-schema.ts';
import { belowSettled, describeStray, ownStrays, strays } from './lib/below.ts';
import type { Stray } from './lib/below.ts';
import { bounded } from '../lib/bounded.ts';
import { chooser } from './lib/choose.ts';
import { providedBelow, removeBelow, unwantedBelow } from './lib/clean.ts';
import { asksRecursion, belowArgs, ownersArgs } from './lib/directory-args.ts';
import { decidedElsewhere } from './lib/elsewhere.ts';
import { listBelow } from './lib/short-list.ts';
import { gidOf, uidOf } from '../lib/accounts.ts';
import { followLinks, makeParents, refuseKind, wantedOwnership } from '../lib/ownership.ts';
import { refuseMounts, refusePlace, refuseRoom } from '../lib/places.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { secretFiles } from '../lib/secret-files.ts';
import { ownersSettled, there } from '../lib/settled.ts';

/** How one directory is. */
export type Directory = {
  kind: 'file' | 'directory' | 'symlink' | 'other';
  user: string;
  group: string;
  mode: string;
  /** What below it differs from what is asked for, if that is asked. */
  recurse?: readonly string[];
  /** What is below it and should not be, if that is asked. */
  clean?: readonly string[];
};

async function locate(args: DirectoryArgs, host: HostView): Promise<string> {
  const { name, follow_symlinks: follow, allow_symlink: allow } = args;
  return follow && allow ? followLinks(name, host) : name;
}

async function read(args: DirectoryArgs, host: HostView): Promise<Directory | null> {
  const path = await locate(args, host);
  const status = await host.status(path);
  if (status === null) return null;
  if (status.kind !== 'directory' && !args.force && args.backupname === undefined) {
    refuseKind(path, status, 'a directory');
  }
  const { kind, user, group, mode } = status;
  if (kind !== 'directory') return { kind, user, group, mode };
  return { kind, user, group, mode, ...(await readBelow(path, args, host)) };
}

async function readBelow(path: string, args: DirectoryArgs, host: HostView) {
  if (!asksRecursion(args) && !args.clean) return {};
  const unwanted = args.clean ? unwantedOf(await host.walk(path), args) : [];
  const recurse = asksRecursion(args) ? await recursion(path, { args, unwanted }, host) : null;
  return {
    ...(recurse === null ? {} : { recurse }),
    ...(args.clean ? { clean: listBelow({ declared: args.name, real: path }, unwanted) } : {}),
  };
}

interface Recursion {
  readonly args: DirectoryArgs;
  readonly unwanted: readonly string[];
}

async function recursion(path: string, asked: Recursion, host: HostView): Promise<string[]> {
  const unknown = await unknownOwner(asked.args, host);
  if (unknown !== null) return [`all: there is no ${unknown} yet`];
  const found = (await straysOf(path, asked, host)).map(describeStray);
  return listBelow({ declared: asked.args.name, real: path }, found);
}

async function unknownOwner(args: DirectoryArgs, host: HostView): Promise<string | null> {
  const { user, group } = belowArgs(args);
  if (user !== undefined && (await uidOf(user, host)) === null) return `user "${user}"`;
  if (group !== undefined && (await gidOf(group, host)) === null) return `group "${group}"`;
  return null;
}

/** What is about to go need not be owned. */
async function straysOf(
  path: string,
  { args, unwanted }: Recursion,
  host: HostView,
): Promise<readonly Stray[]> {
  const found = (await host.walk(path, said({ maxDepth: args.max_depth }))) ?? [];
  const goes = new Set(unwanted);
  const all = await strays(found, belowArgs(args), host);
  const starts = unwanted.map((name) => `${name}/`);
  return all.filter(
    ({ found: { path: at } }) => !goes.has(at) && !starts.some((start) => at.startsWith(start)),
  );
}

function unwantedOf(found: readonly FoundBelow[] | null, args: DirectoryArgs): string[] {
  const isExcluded = chooser(args.exclude_pat);
  return bounded(`clean "${args.name}"`, () =>
    unwantedBelow(found ?? [], { kept: args.kept ?? [], isExcluded }),
  );
}

async function want(args: DirectoryArgs, host: HostView): Promise<Partial<Directory>> {
  const owners = await wantedOwnership(ownersArgs(args), host);
  return {
    kind: 'directory',
    ...(args.children_only ? {} : owners),
    ...(await wantedBelow(args, host)),
  };
}

/** In a new directory there is nothing to find. */
async function wantedBelow(args: DirectoryArgs, host: HostView) {
  const status = await host.status(await locate(args, host));
  if (status?.kind !== 'directory') return {};
  return {
    ...(asksRecursion(args) ? { recurse: [] } : {}),
    ...(args.clean ? { clean: [] } : {}),
  };
}

async function refuses(
  change: Change<Directory>,
  args: DirectoryArgs,
  host: HostView,
): Promise<void> {
  if (change.action === 'remove') return;
  const path = await locate(args, host);
  await refusePlace({ name: path, makedirs: args.makedirs }, host);
  const { kind, clean } = change.to;
  const isInTheWay = change.action === 'update' && kind !== undefined;
  if (isInTheWay) await refuseRoom({ path, backupname: args.backupname }, host);
  if (clean === undefined) return;
  const unwanted = unwantedOf(await host.walk(path), args);
  await refuseMounts(
    unwanted.map((name) => `${path}/${name}`),
    host,
  );
}

async function apply(change: Change<Directory>, args: DirectoryArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const path = await locate(args, host);
  const { kind, user, group, mode, recurse, clean } = change.to;
  if (kind !== undefined) await make(path, change.action === 'update', args, host);
  else if ((user ?? group ?? mode) !== undefined) await host.own(path, ownersArgs(args));
  if (clean !== undefined) {
    await removeBelow(path, unwantedOf(await host.walk(path), args), host);
  }
  if (recurse === undefined) return;
  await ownStrays(path, await straysOf(path, { args, unwanted: [] }, host), host);
}

async function make(
  path: string,
  isInTheWay: boolean,
  args: DirectoryArgs,
  host: Host,
): Promise<void> {
  const ownership = ownersArgs(args);
  if (isInTheWay) await makeRoom(path, args, host);
  await makeParents({ ...ownership, name: path, makedirs: args.makedirs }, host);
  await host.makeDirectory(path, ownership);
}

async function makeRoom(path: string, { backupname }: DirectoryArgs, host: Host): Promise<void> {
  if (backupname === undefined) await host.remove(path);
  else await host.rename(path, backupname);
}

export const fileDirectory = defineState({
  name: 'file.directory',
  isRelative: true,
  schema: directorySchema,
  example: `/srv/projects:
  file.directory:
    user: root
    group: adm
    mode: "0750"
    makedirs: true
`,
  provides: ({ name }: DirectoryArgs) => [`path:${name}`],
  settles: (args: DirectoryArgs) => ({
    ...there(`path:${args.name}`, {
      kind: 'directory',
      ...(args.children_only ? {} : ownersSettled(ownersArgs(args))),
    }),
    ...belowSettled(args.name, belowArgs(args)),
  }),
  needs: ({ name, backupname, ...args }: DirectoryArgs) => [
    ...parentsOf(name),
    ...(backupname === undefined ? [] : [`path:${posix.dirname(backupname)}`]),
    ...ownersOf(ownersArgs({ name, ...args })),
  ],
  knowing(args: DirectoryArgs, surroundings: Surroundings): DirectoryArgs {
    const { name, clean } = args;
    return {
      ...args,
      ...(clean ? { kept: providedBelow(name, surroundings) } : {}),
      ...(asksRecursion(args)
        ? {
            elsewhere: decidedElsewhere(name, surroundings),
            secretFiles: secretFiles(surroundings),
          }
        : {}),
    };
  },
  async clears(args: DirectoryArgs, host: HostView) {
    if (!args.clean) return [];
    const path = await locate(args, host);
    return unwantedOf(await host.walk(path), args).map((name) => `${path}/${name}`);
  },
  read,
  want,
  refuses,
  apply,
});
