import { posix } from 'node:path';
import { ConductorError } from '../../../shared/errors.ts';
import type { FileStatus, HostView } from '../../host/host.ts';

/** A part of a path that somebody but root can make another one. */
export interface OthersPart {
  readonly at: string;
  /** Who, for messages: `belongs to "dev"`. */
  readonly whose: string;
  /** The account that it belongs to. */
  readonly user: string;
}

/** The last part of a path, or of the way to it, that somebody but root can make another one; `null` if there is none. */
export async function othersPartOf(path: string, host: HostView): Promise<OthersPart | null> {
  for (let at = path; at !== '/'; at = posix.dirname(at)) {
    const status = await host.status(at);
    const whose = status === null ? null : await whoseIs(status, host);
    if (whose !== null) return { at, whose, user: status?.user ?? 'root' };
  }
  return null;
}

/** Refuses to let a program of root work below a directory that somebody else can make another one: it follows where that leads. */
export async function refuseOthersPlace(
  path: string,
  { user = 'root', what }: { readonly user?: string | undefined; readonly what: string },
  host: HostView,
): Promise<void> {
  const part = user === 'root' ? await othersPartOf(posix.dirname(path), host) : null;
  if (part === null) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot make ${what} in "${path}" as root: "${part.at}" ${part.whose}, who could lead it elsewhere (say \`user\`: whose it is)`,
    { lacks: [] },
  );
}

/** A link can only be made another one by whoever can write its directory; in a sticky one all keep what is theirs. */
async function whoseIs(status: FileStatus, host: HostView): Promise<string | null> {
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
