import { posix } from 'node:path';
import type { Host } from '../../../host/host.ts';

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
 * Gives what is not theirs in a directory to a user and their own group. Follows no link, out of the
 * directory or on the way, and leaves alone what has a second name that may be elsewhere.
 */
export async function giveTo(host: Host, path: string, user: string): Promise<void> {
  const ours = ['(', '-type', 'd', '-o', '-links', '1', ')', '!', '-user', user];
  await host.run([
    'find',
    path,
    '-xdev',
    ...ours,
    '-execdir',
    'chown',
    '-h',
    '--',
    `${user}:`,
    '{}',
    '+',
  ]);
}

/** Makes the directories above a path that are missing; they are root's. */
export async function makeParents(host: Host, path: string): Promise<void> {
  const parent = posix.dirname(path);
  if ((await host.status(parent)) !== null) return;
  await makeParents(host, parent);
  await host.makeDirectory(parent);
}
