import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import type { Settled } from '../../../../shared/surroundings.ts';
import type { FoundBelow, Host, HostView, Ownership } from '../../../host/host.ts';
import { gidOf, uidOf } from '../../lib/accounts.ts';
import { said } from '../../lib/said.ts';
import { inodesOf } from '../../lib/secret-files.ts';
import { allBelow, ownersSettled, settled } from '../../lib/settled.ts';
import { decisionOf, leftToOthers } from './elsewhere.ts';
import type { Elsewhere, Part } from './elsewhere.ts';

/** What all that is below a directory is to have. */
export interface BelowArgs {
  readonly user?: string;
  readonly group?: string;
  readonly dirMode?: string;
  readonly fileMode?: string;
  /** These are not touched at all. */
  readonly ignored?: readonly ('file' | 'directory')[];
  /** What other states decide. */
  readonly elsewhere?: readonly Elsewhere[];
  /** Files that hold secrets of other states, which keep their modes under whatever path they are met. */
  readonly secretFiles?: readonly string[];
}

/** One thing below a directory that has another owner or mode than it should. */
export interface Stray {
  readonly found: FoundBelow;
  readonly wanted: Ownership;
}

/** What differs below a directory. Sockets, pipes and devices are left as they are. */
export async function strays(
  found: readonly FoundBelow[],
  args: BelowArgs,
  host: HostView,
): Promise<readonly Stray[]> {
  const { user, group, dirMode, fileMode, ignored = [], elsewhere = [], secretFiles = [] } = args;
  const isDecided = leftToOthers(elsewhere);
  const closed = await inodesOf(secretFiles, host);
  const asked: Asked = {
    user,
    group,
    uid: user === undefined ? null : await uidOf(user, host),
    gid: group === undefined ? null : await gidOf(group, host),
    modes: { directory: dirMode, file: fileMode, symlink: undefined, other: undefined },
    isLeft: (one, part) => isDecided(one, part) || (part === 'mode' && closed.has(one.inode)),
  };
  const skipped: ReadonlySet<string> = new Set(['other', ...ignored]);
  return found.flatMap((one) => (skipped.has(one.kind) ? [] : (strayOf(one, asked) ?? [])));
}

interface Asked {
  readonly user: string | undefined;
  readonly group: string | undefined;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly modes: Readonly<Record<FoundBelow['kind'], string | undefined>>;
  readonly isLeft: (found: FoundBelow, part: Part) => boolean;
}

function strayOf(found: FoundBelow, asked: Asked): Stray | null {
  const wanted = wantedOf(found, asked);
  if (wanted === null) return null;
  if (found.kind === 'file' && found.links > 1) refuseHardLink(found);
  return { found, wanted };
}

/** `null` if nothing differs. */
function wantedOf(found: FoundBelow, asked: Asked): Ownership | null {
  if (isRight(found, asked)) return null;
  const { user, group, uid, gid, modes, isLeft } = asked;
  const mode = modes[found.kind];
  const wanted = said({
    user: uid === found.uid || isLeft(found, 'owner') ? undefined : user,
    group: gid === found.gid || isLeft(found, 'group') ? undefined : group,
    mode: mode === found.mode || isLeft(found, 'mode') ? undefined : mode,
  });
  return Object.keys(wanted).length === 0 ? null : wanted;
}

function isRight(found: FoundBelow, { user, group, uid, gid, modes }: Asked): boolean {
  const mode = modes[found.kind];
  if (mode !== undefined && mode !== found.mode) return false;
  if (user !== undefined && uid !== found.uid) return false;
  return group === undefined || gid === found.gid;
}

/** Its other name may be anywhere, and be somebody else's. */
function refuseHardLink({ path, links }: FoundBelow): never {
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot own "${path}" with all that is beside it: it has ${links} hard links`,
    { inTheWay: [`path:${path}`] },
  );
}

/** What a recursion decides, of files and of directories. */
export function belowSettled(
  name: string,
  { user, group, dirMode, fileMode, ignored = [] }: BelowArgs,
): Settled {
  const { owner, group: shared } = ownersSettled(said({ user, group }));
  const decided = (kind: 'file' | 'directory', mode: string | undefined) =>
    ignored.includes(kind)
      ? {}
      : {
          [decisionOf('owner', kind)]: owner,
          [decisionOf('group', kind)]: shared,
          [decisionOf('mode', kind)]: mode,
        };
  const files = decided('file', fileMode);
  return settled(allBelow(name), { ...files, ...decided('directory', dirMode) });
}

/** How a stray is, as a line for a person. */
export function describeStray({ found }: Stray): string {
  return `${found.path}: ${found.user}:${found.group} ${found.mode}`;
}

/** Gives strays their owners and modes, one directory after the other, never through a link. */
export async function ownStrays(
  directory: string,
  found: readonly Stray[],
  host: Host,
): Promise<void> {
  const byDirectory = new Map<string, Map<string, Ownership>>();
  for (const { found: one, wanted } of found) {
    const path = `${directory}/${one.path}`;
    const names = byDirectory.get(posix.dirname(path)) ?? new Map<string, Ownership>();
    names.set(posix.basename(path), wanted);
    byDirectory.set(posix.dirname(path), names);
  }
  for (const [path, names] of byDirectory) await host.ownIn(path, names);
}
