import { fchmodSync, fchownSync, fstatSync, futimesSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { refuse } from './file-error.ts';
import type { Account, AccountGroup, Ownership } from './host.ts';

/** An `Ownership` in the system's numbers. */
export interface Owner {
  readonly uid: number | null;
  readonly gid: number | null;
  readonly mode: number | null;
  /** Seconds since 1970. */
  readonly modified?: number;
}

export interface People {
  readonly accounts: ReadonlyMap<string, Account>;
  readonly groups: ReadonlyMap<string, AccountGroup>;
}

/** Looks names up; a name of digits that nobody has is the number itself. */
export function ownerOf(
  path: string,
  { user, group, mode, modified }: Ownership,
  { accounts, groups }: People,
): Owner {
  const lookUp = (
    kind: string,
    name: string | undefined,
    id: number | undefined,
  ): number | null => {
    if (name === undefined) return null;
    if (id !== undefined) return id;
    if (/^\d+$/u.test(name)) return Number(name);
    throw refuse('own', path, `there is no ${kind} "${name}"`);
  };
  if (mode !== undefined && !/^[0-7]{3,4}$/u.test(mode)) {
    throw refuse('own', path, `"${mode}" is not a mode`);
  }
  return {
    uid: lookUp('user', user, accounts.get(user ?? '')?.uid),
    gid: lookUp('group', group, groups.get(group ?? '')?.gid),
    mode: mode === undefined ? null : Number.parseInt(mode, 8),
    ...(modified === undefined ? {} : { modified }),
  };
}

/**
 * Gives an open file its owner; the mode comes after, because a change of owner takes bits away.
 * `now` is how the file is, if that is known already.
 */
export function giveTo(fd: number, owner: Owner, now: Stats = fstatSync(fd)): void {
  const { uid, gid, mode, modified } = owner;
  const [user, group] = [uid ?? now.uid, gid ?? now.gid];
  const before = now.mode & 0o7777;
  const bits = mode ?? before;
  const isMoving = user !== now.uid || group !== now.gid;
  if (isMoving) fchownSync(fd, user, group);
  if (isMoving || bits !== before) fchmodSync(fd, bits);
  if (modified !== undefined) futimesSync(fd, now.atimeMs / 1000, modified);
}
