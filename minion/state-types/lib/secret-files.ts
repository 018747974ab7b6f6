import { SECRET } from '../../../shared/surroundings.ts';
import type { Surroundings } from '../../../shared/surroundings.ts';
import type { HostView } from '../../host/host.ts';
import { realPath } from './places.ts';

/** Files that a secret goes into, wherever they are: a recursion may come to them by another path. */
export function secretFiles({ settled }: Surroundings): string[] {
  return settled().flatMap((one) =>
    Object.entries(one).flatMap(([resource, attributes]) =>
      resource.startsWith('path:') && SECRET in attributes ? [resource.slice('path:'.length)] : [],
    ),
  );
}

/** By which they are known under any other path. Those that are not there yet have none. */
export async function inodesOf(
  paths: readonly string[],
  host: HostView,
): Promise<ReadonlySet<string>> {
  const inodes = await Promise.all(paths.map((path) => inodeOf(path, host)));
  return new Set(inodes.filter((inode) => inode !== undefined));
}

/** Of the file that a path leads to. */
async function inodeOf(path: string, host: HostView): Promise<string | undefined> {
  const status = await host.status(path);
  if (status?.kind !== 'symlink') return status?.inode;
  return (await host.status(await realPath(path, host)))?.inode;
}
