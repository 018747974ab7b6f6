import { posix } from 'node:path';
import type { FileStatus, Host, Ownership } from '../../../host/host.ts';

/**
 * Makes a directory that belongs to a user, or gives one that is there to them with all that is in
 * it; made by root, so that the directory above need not belong to the user. Missing directories
 * above it are made too, and are root's.
 */
export async function makeOwnDirectory(host: Host, path: string, user: string): Promise<void> {
  if ((await host.status(path)) !== null) return giveTo(host, path, user);
  await makeParents(host, path);
  const group = String((await host.accounts()).get(user)?.gid ?? 0);
  await host.makeDirectory(path, { user, group });
}

/**
 * Gives what is not theirs in a directory to a user and their own group. Follows no link, out of the directory or on the
 * way to it, and leaves alone what has a second name that may be elsewhere.
 */
export async function giveTo(host: Host, path: string, user: string): Promise<void> {
  const gid = (await host.accounts()).get(user)?.gid;
  const ownership = { user, ...(gid === undefined ? {} : { group: String(gid) }) };
  const top = await host.status(path);
  if (top !== null && top.user !== user) await host.own(path, ownership);
  const byDirectory = new Map<string, Map<string, Ownership>>();
  for (const found of (await host.walk(path)) ?? []) {
    if (!isGiven(found, user)) continue;
    const at = posix.join(path, found.path);
    const names = byDirectory.get(posix.dirname(at)) ?? new Map<string, Ownership>();
    byDirectory.set(posix.dirname(at), names.set(posix.basename(at), ownership));
  }
  for (const [directory, names] of byDirectory) await host.ownIn(directory, names);
}

function isGiven({ user: owner, kind, links }: FileStatus, user: string): boolean {
  if (owner === user || kind === 'other') return false;
  return kind === 'directory' || links === 1;
}

/** Makes the directories above a path that are missing; they are root's. */
export async function makeParents(host: Host, path: string): Promise<void> {
  const parent = posix.dirname(path);
  if ((await host.status(parent)) !== null) return;
  await makeParents(host, parent);
  await host.makeDirectory(parent);
}
