import { ConductorError } from '../../../../shared/errors.ts';
import type { Host } from '../../../host/host.ts';
import { isDirectory, needParents } from '../../lib/ownership.ts';

/**
 * Makes sure of a directory to mount at: makes it if that is asked for, and refuses one to which a symbolic link leads,
 * for whoever may change the link would choose what is hidden by the mount.
 */
export async function needMountPoint(
  path: string,
  { mkmnt }: { readonly mkmnt: boolean },
  host: Host,
): Promise<void> {
  if (!(await isDirectory(path, host)) && !mkmnt)
    throw refused(path, 'there is no such directory (mkmnt: true makes it)');
  await needParents({ name: `${path}/inside`, makedirs: true }, host);
  const real = await host.query(['realpath', '--', path]);
  const leads = real.stdout.replace(/\n$/u, '');
  if (leads !== path) throw refused(path, `symbolic links lead from there to "${leads}"`);
}

function refused(path: string, state: string): ConductorError {
  return new ConductorError('STATE_REFUSED', `Cannot mount "${path}": ${state}`);
}
