import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { refuseKind, refuseParents } from '../../lib/ownership.ts';
import { said } from '../../lib/said.ts';
import { makeParents } from './own-directory.ts';

/** Where archives are unpacked before they are put in place: only root gets in. */
export const STAGES = '/var/lib/conductor/archives';

export interface PlaceArgs {
  readonly name: string;
  readonly user?: string;
  readonly group?: string;
  readonly force: boolean;
  readonly clean: boolean;
  readonly clean_parent: boolean;
}

/** Puts an unpacked tree where it belongs: as a whole if nothing is there, else into what is there. */
export async function putInPlace(tree: string, args: PlaceArgs, host: Host): Promise<void> {
  const { name } = args;
  await makeParents(host, name);
  const move = await mover(tree, posix.dirname(name), host);
  if (args.clean_parent) await host.remove(name);
  const status = await host.status(name);
  if (status === null) return move(tree, name);
  if (args.clean) await clean(tree, name, host);
  await merge(tree, name, move, host);
}

async function clean(tree: string, name: string, host: Host): Promise<void> {
  for (const entry of (await host.list(tree)) ?? []) await host.remove(`${name}/${entry}`);
}

/** Refuses a place that is no directory and below none. */
export async function guardPlace(
  { name, clean_parent: isCleaned }: PlaceArgs,
  host: HostView,
): Promise<void> {
  await refuseParents({ name, makedirs: true }, host);
  const status = await host.status(name);
  if (status === null || status.kind === 'directory' || isCleaned) return;
  refuseKind(name, status, 'a directory');
}

/** Refuses to put a directory where a file is, or the reverse, unless that was allowed. */
export async function guardKinds(
  members: readonly (readonly [string, string])[],
  { name, force, clean, clean_parent: cleanParent }: PlaceArgs,
  host: HostView,
): Promise<void> {
  if (force || clean || cleanParent || (await host.status(name)) === null) return;
  for (const [letter, path] of members) {
    const there = await host.status(`${name}/${path}`);
    if (there === null || (letter === 'd') === (there.kind === 'directory')) continue;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot unpack to "${name}/${path}": a ${there.kind} stands there (force: true deletes it)`,
      { inTheWay: [`path:${name}/${path}`] },
    );
  }
}

type Move = (from: string, to: string) => Promise<void>;

async function merge(from: string, to: string, move: Move, host: Host): Promise<void> {
  for (const entry of (await host.list(from)) ?? []) {
    const [source, target] = [`${from}/${entry}`, `${to}/${entry}`];
    const there = await host.status(target);
    const isDirectory = (await host.status(source))?.kind === 'directory';
    if (isDirectory && there?.kind === 'directory') {
      await merge(source, target, move, host);
      continue;
    }
    if (there !== null && isDirectory !== (there.kind === 'directory')) await host.remove(target);
    await move(source, target);
  }
}

/** On one disk things are renamed, a directory with all that is in it; else they are copied. */
async function mover(tree: string, parent: string, host: Host): Promise<Move> {
  const isOneDisk = (await diskOf(tree, host)) === (await diskOf(parent, host));
  return isOneDisk ? (from, to) => host.rename(from, to) : (from, to) => copy(from, to, host);
}

async function diskOf(path: string, host: HostView): Promise<string> {
  const { stdout } = await host.query(['stat', '--format=%d', '--', path]);
  return stdout.trim();
}

async function copy(from: string, to: string, host: Host): Promise<void> {
  const status = await host.status(from);
  if (status === null) return;
  const ownership = { user: String(status.uid), group: String(status.gid), mode: status.mode };
  if (status.kind === 'symlink') {
    const { user, group } = ownership;
    return host.link(to, (await host.readLink(from)) ?? '', said({ user, group }));
  }
  if (status.kind === 'file') {
    return host.writeFile(to, (await host.readFile(from)) ?? new Uint8Array(), ownership);
  }
  await host.makeDirectory(to, ownership);
  for (const entry of (await host.list(from)) ?? []) {
    await copy(`${from}/${entry}`, `${to}/${entry}`, host);
  }
}
