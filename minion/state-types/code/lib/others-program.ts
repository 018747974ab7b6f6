import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { FileStatus, HostView } from '../../../host/host.ts';

/**
 * Root runs no program that somebody else can make another one, not even to look; nor what a file says (`deed`) that
 * somebody else can write.
 */
export async function refuseOthersProgram(
  program: string,
  { user = 'root' }: { readonly user?: string },
  host: HostView,
  deed = `run "${program}"`,
): Promise<void> {
  if (user !== 'root') return;
  for (let at = program; at !== '/'; at = posix.dirname(at)) {
    const status = await host.status(at);
    const whose = status === null ? null : await othersIn(status, host);
    if (whose === null) continue;
    throw new ConductorError(
      'STATE_REFUSED',
      `Cannot ${deed} as root: "${at}" ${whose} (say \`user\`: whose it is)`,
      { lacks: [] },
    );
  }
}

/** A link can only be made another one by whoever can write its directory; in a sticky one all keep what is theirs. */
async function othersIn(status: FileStatus, host: HostView): Promise<string | null> {
  const { uid, mode, kind, user, group } = status;
  if (uid !== 0) return `belongs to "${user}"`;
  if (kind === 'symlink' || /^[1357]/u.test(mode)) return null;
  if (/[2367]$/u.test(mode)) return 'can be written by all';
  if (!/[2367].$/u.test(mode) || !(await hasMembers(status, host))) return null;
  return `can be written by the group "${group}"`;
}

/** Debian has groups of which nobody is, such as that of /usr/local. */
async function hasMembers({ gid, group }: FileStatus, host: HostView): Promise<boolean> {
  if (gid === 0) return false;
  const members = (await host.groups()).get(group)?.members ?? [];
  const accounts = [...(await host.accounts()).values()];
  return members.some((name) => name !== 'root') || accounts.some((one) => one.gid === gid);
}
