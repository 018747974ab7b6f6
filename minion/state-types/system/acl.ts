import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Surroundings } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { gidOf, groupNameOf, loginOf, uidOf } from '../lib/accounts.ts';
import { ownersOf, pathAndParents } from '../lib/resources.ts';
import { inodesOf, secretFiles } from '../lib/secret-files.ts';
import { absentSchema, permits, presentSchema } from './acl-schema.ts';
import type { AbsentArgs, PresentArgs } from './acl-schema.ts';
import { entryName, permittedBy, readAclTree } from './lib/acl-tree.ts';
import type { AclNode } from './lib/acl-tree.ts';
import { refuseAcl, setAcl } from './lib/set-acl.ts';

/** With the files that a recursion leaves closed to everybody else, under whatever path it comes to them. */
type KnowingArgs = PresentArgs & { readonly closed?: readonly string[] };

/** One entry of the access list of a path, and with `recurse` where below it another stands. */
export type Acl = {
  /** `r-x`; `null` if there is no such entry. */
  perms: string | null;
  below: readonly string[];
};

async function entryOf(
  { acl_type: type, acl_name: name }: AbsentArgs,
  host: HostView,
): Promise<string> {
  if (name === '') return `${type}:`;
  return `${type}:${type.endsWith('group') ? await groupNameOf(name, host) : await loginOf(name, host)}`;
}

/** What is asked for at one place: a default entry only of directories, and X as it comes out there. */
function wantedAt(node: AclNode, entry: string, permissions: string): string | null {
  if (entry.startsWith('default:') && !node.isDirectory) return null;
  return permissions.replace('X', node.isDirectory || node.isProgram ? 'x' : '-');
}

async function readPresent(args: KnowingArgs, host: HostView): Promise<Acl | null> {
  const entry = await entryOf(args, host);
  const [top] = await neededTree({ ...args, recurse: false }, host);
  const perms = top === undefined ? null : permittedBy(top, entryName(entry));
  const others = await differing(args, host);
  return { perms, below: others.flatMap(({ path }) => (path === top?.path ? [] : [path])) };
}

async function neededTree(
  { name, recurse }: AbsentArgs,
  host: HostView,
): Promise<readonly AclNode[]> {
  const nodes = await readAclTree(name, { recurse }, host);
  if (nodes.length > 0) return nodes;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot set the access list of "${name}": nothing stands there, or a symbolic link`,
    { lacks: [`path:${name}`] },
  );
}

async function want(args: PresentArgs, host: HostView): Promise<Partial<Acl>> {
  await needHolder(args, host);
  const [top] = await neededTree({ ...args, recurse: false }, host);
  const entry = await entryOf(args, host);
  const perms = top === undefined ? null : wantedAt(top, entry, args.perms);
  if (perms !== null) return { perms, ...(args.recurse ? { below: [] } : {}) };
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot set the default access list of "${args.name}": only directories have one`,
    { inTheWay: [`path:${args.name}`] },
  );
}

/** Of a number nobody has to have the account. */
async function needHolder({ name, acl_type, acl_name }: PresentArgs, host: HostView) {
  if (acl_name === '') return;
  const kind = acl_type.endsWith('group') ? 'group' : 'user';
  const id = kind === 'group' ? await gidOf(acl_name, host) : await uidOf(acl_name, host);
  if (id !== null) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot set the access list of "${name}": there is no ${kind} "${acl_name}"`,
    { lacks: [`${kind}:${acl_name}`] },
  );
}

async function applyPresent(_change: Change<Acl>, args: KnowingArgs, host: Host): Promise<void> {
  const entry = await entryOf(args, host);
  await setAcl(['--modify', `${entry}:${args.perms}`], await differing(args, host), host);
}

async function differing(args: KnowingArgs, host: HostView): Promise<readonly AclNode[]> {
  const entry = await entryOf(args, host);
  const nodes = await neededTree(args, host);
  const closed = await inodesOf(args.closed ?? [], host);
  return nodes.filter((node) => {
    if (closed.has(node.inode)) return false;
    const wanted = wantedAt(node, entry, args.perms);
    return wanted !== null && permittedBy(node, entryName(entry)) !== wanted;
  });
}

async function readAbsent(args: AbsentArgs, host: HostView): Promise<Acl | null> {
  const entry = entryName(await entryOf(args, host));
  const [top, ...below] = await readAclTree(args.name, args, host);
  const perms = top?.entries.get(entry) ?? null;
  const others = below.filter(({ entries }) => entries.has(entry)).map(({ path }) => path);
  return perms === null && others.length === 0 ? null : { perms, below: others };
}

async function applyAbsent(_change: Change<Acl>, args: AbsentArgs, host: Host): Promise<void> {
  const entry = await entryOf(args, host);
  await setAcl(['--remove', entry], await having(args, host), host);
}

async function having(args: AbsentArgs, host: HostView): Promise<readonly AclNode[]> {
  const entry = entryName(await entryOf(args, host));
  const nodes = await readAclTree(args.name, args, host);
  return nodes.filter(({ entries }) => entries.has(entry));
}

const needs = ({ name, acl_type: type, acl_name: who }: AbsentArgs): string[] => [
  ...pathAndParents(name),
  'package:acl',
  ...(who === '' ? [] : ownersOf(type.endsWith('group') ? { group: who } : { user: who })),
];

export const aclPresent = defineState({
  name: 'acl.present',
  isRelative: true,
  schema: presentSchema,
  example: `nginx may read the files of the shop:
  acl.present:
    name: /srv/shop/static
    acl_type: user
    acl_name: www-data
    perms: rX
    recurse: true
`,
  needs,
  permits,
  read: readPresent,
  want,
  knowing: (args: KnowingArgs, surroundings: Surroundings): KnowingArgs =>
    args.recurse && args.acl_type === 'other'
      ? { ...args, closed: secretFiles(surroundings) }
      : args,
  refuses: async (_change: Change<Acl>, args: KnowingArgs, host: HostView) =>
    refuseAcl('--modify', await differing(args, host), host),
  apply: applyPresent,
});

export const aclAbsent = defineState({
  name: 'acl.absent',
  schema: absentSchema,
  example: `interns may not read the reports:
  acl.absent:
    name: /srv/reports
    acl_type: group
    acl_name: interns
`,
  needs,
  read: readAbsent,
  want: () => null,
  refuses: async (_change: Change<Acl>, args: AbsentArgs, host: HostView) =>
    refuseAcl('--remove', await having(args, host), host),
  apply: applyAbsent,
});
