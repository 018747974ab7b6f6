import { posix } from 'node:path';
import { ConductorError } from '../../../shared/errors.ts';
import type { FileStatus, Host, HostView, Ownership } from '../../host/host.ts';
import { gidOf, groupNameOf, loginOf, uidOf } from './accounts.ts';
import { said } from './said.ts';

/** Who is to own something, as arguments say it. */
export interface OwnerArgs {
  user?: string;
  group?: string;
  mode?: string;
}

/** Who is not there cannot own anything: that is said before anything is planned. */
async function needOwners({ user, group }: OwnerArgs, host: HostView): Promise<void> {
  const isNobody = user !== undefined && (await uidOf(user, host)) === null;
  const isNoGroup = group !== undefined && (await gidOf(group, host)) === null;
  if (!isNobody && !isNoGroup) return;
  const missing = isNobody ? `user "${user}"` : `group "${group}"`;
  throw new ConductorError('STATE_REFUSED', `Cannot give it its owner: there is no ${missing}`, {
    lacks: [isNobody ? `user:${user}` : `group:${group}`],
  });
}

/** The owners and mode asked for, by name where the host has names for them. */
export async function wantedOwnership(args: OwnerArgs, host: HostView): Promise<OwnerArgs> {
  const { user, group, mode } = args;
  await needOwners(args, host);
  return said({
    user: user === undefined ? undefined : await loginOf(user, host),
    group: group === undefined ? undefined : await groupNameOf(group, host),
    mode,
  });
}

/** Only what is said of owners and mode, for the host. */
export function ownershipOf({ user, group, mode }: OwnerArgs): Ownership {
  return said({ user, group, mode });
}

const MOST_LINKS = 40;

/**
 * Where a path leads if symbolic links of root stand at it. A link of somebody else is refused:
 * its owner would choose which file root changes.
 */
export async function followLinks(path: string, host: HostView): Promise<string> {
  let at = path;
  for (let hop = 0; hop < MOST_LINKS; hop += 1) {
    const status = await host.status(at);
    if (status?.kind !== 'symlink') return at;
    if (status.uid !== 0) {
      throw new ConductorError(
        'STATE_REFUSED',
        `Cannot manage "${path}": a symbolic link of "${status.user}" stands there, and only links of root are followed`,
        { inTheWay: [`path:${at}`] },
      );
    }
    const to = (await host.readLink(at)) ?? '';
    at = posix.resolve(posix.dirname(at), to);
  }
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot manage "${path}": its symbolic links never end`,
    { inTheWay: [`path:${path}`] },
  );
}

/** Whether a directory is at a path, or a symbolic link that leads to one. */
export async function isDirectory(path: string, host: HostView): Promise<boolean> {
  const status = await host.status(path);
  if (status?.kind === 'symlink') return (await host.list(path)) !== null;
  return status?.kind === 'directory';
}

/** Says in one way that something of another kind stands at a path. */
export function refuseKind(path: string, { kind }: FileStatus, wanted: string): never {
  const is = { file: 'a file', directory: 'a directory', symlink: 'a symbolic link' };
  const stands = kind === 'other' ? 'a device, socket or pipe' : is[kind];
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot make "${path}" ${wanted}: ${stands} stands there`,
    { inTheWay: [`path:${path}`] },
  );
}

export interface ParentArgs extends OwnerArgs {
  name: string;
  makedirs: boolean;
  dir_mode?: string;
}

/** Refuses a path below what is no directory, or below nothing unless its directories are to be made. */
export async function refuseParents(
  { name, makedirs }: Pick<ParentArgs, 'name' | 'makedirs'>,
  host: HostView,
): Promise<void> {
  const parent = posix.dirname(name);
  const nearest = await nearestThere(parent, host);
  const status = await host.status(nearest);
  if (!(await isDirectory(nearest, host)) && status !== null)
    refuseKind(nearest, status, 'a directory');
  if (makedirs || nearest === parent) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot make "${name}": its directory does not exist (makedirs: true makes it)`,
    { lacks: [`path:${parent}`] },
  );
}

/** A path, or the first above it at which anything stands. */
export async function nearestThere(path: string, host: HostView): Promise<string> {
  if (path === '/' || (await host.status(path)) !== null) return path;
  return nearestThere(posix.dirname(path), host);
}

/** Makes the directories above a path that are missing, if that is asked for. */
export async function makeParents(args: ParentArgs, host: Host): Promise<void> {
  if (!args.makedirs) return;
  await makeDirectories(
    posix.dirname(args.name),
    { ...ownershipOf(args), mode: directoryMode(args) },
    host,
  );
}

/** Makes a directory with all that are missing above it. */
async function makeDirectories(path: string, ownership: Ownership, host: Host): Promise<void> {
  if (await isDirectory(path, host)) return;
  await makeDirectories(posix.dirname(path), ownership, host);
  await host.makeDirectory(path, ownership);
}

/** As Salt does it: the file's mode, with the right to enter wherever there is one to read. */
function directoryMode({ dir_mode: given, mode }: ParentArgs): string {
  if (given !== undefined) return given;
  if (mode === undefined) return '0755';
  const digits = mode.slice(-3).replace(/[46]/gu, (digit) => String(Number(digit) + 1));
  return `0${digits}`;
}
