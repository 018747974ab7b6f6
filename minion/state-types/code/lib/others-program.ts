import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { FileStatus, HostView } from '../../../host/host.ts';

/** Root runs no program that somebody else can make another one, not even to look. */
export async function refuseOthersProgram(
  program: string,
  { user = 'root' }: { readonly user?: string },
  host: HostView,
): Promise<void> {
  if (user !== 'root') return;
  for (let at = program; at !== '/'; at = posix.dirname(at)) {
    const status = await host.status(at);
    if (status === null || !isOthers(status)) continue;
    const whose = status.uid === 0 ? 'can be written by all' : `belongs to "${status.user}"`;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot run "${program}" as root: "${at}" ${whose} (say \`user\`: whose it is)`,
      { lacks: [] },
    );
  }
}

/** A link can only be made another one by whoever can write its directory; in a sticky one all keep what is theirs. */
function isOthers({ uid, mode, kind }: FileStatus): boolean {
  const isSticky = /^[1357]/u.test(mode);
  return uid !== 0 || (kind !== 'symlink' && !isSticky && /[2367]$/u.test(mode));
}
