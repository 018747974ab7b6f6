import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { makeParents, refuseParents } from '../../lib/ownership.ts';
import { othersPartOf } from '../../lib/others.ts';
import { realPath, refusePlace } from '../../lib/places.ts';

/**
 * Refuses a directory to mount at that is not there, unless it is to be made; and one to which a symbolic link leads,
 * for whoever may change the link would choose what is hidden by the mount.
 */
export async function refuseMountPoint(
  path: string,
  { mkmnt }: { readonly mkmnt: boolean },
  host: HostView,
): Promise<void> {
  const isThere = (await host.status(path)) !== null;
  if (!isThere && !mkmnt) {
    const state = 'there is no such directory (mkmnt: true makes it)';
    throw refused(path, state, { lacks: [`path:${path}`] });
  }
  const place = { name: insideOf(path), makedirs: mkmnt };
  await (isThere ? refuseParents(place, host) : refusePlace(place, host));
  const part = await othersPartOf(posix.dirname(path), host);
  if (part !== null)
    throw refused(
      path,
      `"${part.at}" ${part.whose}, who could have it mounted over another directory`,
    );
  const leads = await realPath(path, host);
  if (leads !== path) throw refused(path, `symbolic links lead from there to "${leads}"`);
}

/** Makes a directory to mount at, if it is missing. */
export async function makeMountPoint(path: string, host: Host): Promise<void> {
  await makeParents({ name: insideOf(path), makedirs: true }, host);
}

function insideOf(path: string): string {
  return `${path}/inside`;
}

function refused(path: string, state: string, details = {}): ConductorError {
  return new ConductorError('STATE_REFUSED', `Cannot mount "${path}": ${state}`, details);
}
