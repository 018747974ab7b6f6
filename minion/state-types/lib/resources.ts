import { posix } from 'node:path';

/** Names of the things that states bring about and need: what implied requisites are made of. */

/** What comes with modules of the kernel, whichever they are: parameters, file systems. */
export const KERNEL = 'kernel:modules';

/** Every directory above a path, the nearest first: `path:/srv/logs`, `path:/srv`. */
export function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = posix.dirname(path); at !== '/' && at !== '.'; at = posix.dirname(at)) {
    parents.push(`path:${at}`);
  }
  return parents;
}

/** A path and every directory above it. */
export function pathAndParents(path: string): string[] {
  return [`path:${path}`, ...parentsOf(path)];
}

/** The account and group that are to own something. */
export function ownersOf({ user, group }: { user?: string; group?: string }): string[] {
  return [
    ...(user === undefined ? [] : [`user:${user}`]),
    ...(group === undefined ? [] : [`group:${group}`]),
  ];
}
