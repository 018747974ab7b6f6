import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import type { AclNode } from './acl-tree.ts';

/**
 * Refuses to change the list of a file of root that others could put something else in place of. Where entries are
 * taken away, directories are closed before what is in them has its turn: those are not looked at yet.
 */
export async function refuseAcl(
  how: '--modify' | '--remove',
  nodes: readonly AclNode[],
  host: HostView,
): Promise<void> {
  const ofRoot = nodes.filter(({ owner }) => owner === 'root').map(({ path }) => path);
  const changed = how === '--remove' ? nodes.map(({ path }) => path) : [];
  await refuseBelowOthers(ofRoot, host, { except: new Set(changed) });
}

/** So many paths go to one command. */
const AT_ONCE = 500;

/**
 * Changes the access lists of some files. Of each as its own owner: who could put something else in
 * place of a file while we work gains nothing by it. What root owns below a directory that others
 * may change is refused for the same reason.
 */
export async function setAcl(
  how: readonly [flag: string, entry: string],
  nodes: readonly AclNode[],
  host: Host,
): Promise<void> {
  for (const { owner, paths } of steps(nodes, { deepestFirst: how[0] === '--modify' })) {
    if (owner === 'root') await refuseBelowOthers(paths, host);
    const options = owner === 'root' ? {} : { user: owner };
    for (let from = 0; from < paths.length; from += AT_ONCE) {
      const some = paths.slice(from, from + AT_ONCE);
      await host.run(['setfacl', '--physical', ...how, '--', ...some], options);
    }
  }
}

/**
 * Files of one owner at one depth at a time. Directories are opened to others after what is in them
 * has been changed, and closed before.
 */
function steps(
  nodes: readonly AclNode[],
  { deepestFirst }: { readonly deepestFirst: boolean },
): readonly { owner: string; paths: readonly string[] }[] {
  const depths = [...new Set(nodes.map(depthOf))].toSorted((a, b) =>
    deepestFirst ? b - a : a - b,
  );
  return depths.flatMap((depth) => {
    const level = nodes.filter((node) => depthOf(node) === depth);
    return [...new Set(level.map((node) => node.owner))].map((owner) => ({
      owner,
      paths: level.filter((node) => node.owner === owner).map((node) => node.path),
    }));
  });
}

function depthOf({ path }: AclNode): number {
  return path.split('/').length;
}

async function refuseBelowOthers(
  paths: readonly string[],
  host: HostView,
  { except = new Set() }: { readonly except?: ReadonlySet<string> } = {},
): Promise<void> {
  for (const directory of directoriesAbove(paths)) {
    if (except.has(directory)) continue;
    const status = await host.status(directory);
    if (status === null || (status.uid === 0 && !isOpen(status.mode))) continue;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot set an access list of a file of root below "${directory}": "${status.user}" or others may put ` +
        'something else in its place',
      { inTheWay: [`path:${directory}`] },
    );
  }
}

/** Whether others may replace what is in a directory of root. */
function isOpen(mode: string): boolean {
  const bits = Number.parseInt(mode, 8);
  return (bits & 0o022) !== 0 && (bits & 0o1000) === 0;
}

function directoriesAbove(paths: readonly string[]): ReadonlySet<string> {
  const above = new Set<string>();
  for (const path of paths)
    for (let at = posix.dirname(path); !above.has(at); at = posix.dirname(at)) above.add(at);
  return above;
}
