import { posix } from 'node:path';
import type { Host } from '../../host/host.ts';

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

/** Gives a directory, with all that is in it, to a user and their own group; follows no link. */
export async function giveTo(host: Host, path: string, user: string): Promise<void> {
  await host.run(['chown', '-hR', '--', `${user}:`, path]);
}

async function makeParents(host: Host, path: string): Promise<void> {
  const parent = posix.dirname(path);
  if ((await host.status(parent)) !== null) return;
  await makeParents(host, parent);
  await host.makeDirectory(parent);
}
