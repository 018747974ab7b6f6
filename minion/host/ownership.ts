import { fchmodSync, fchownSync, fstatSync, futimesSync } from 'node:fs';
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

/** Gives an open file its owner; the mode comes after, because a change of owner takes bits away. */
export function giveTo(fd: number, { uid, gid, mode, modified }: Owner): void {
  const now = fstatSync(fd);
  const owner = [uid ?? now.uid, gid ?? now.gid] as const;
  const bits = mode ?? now.mode & 0o7777;
  if (owner[0] !== now.uid || owner[1] !== now.gid) fchownSync(fd, ...owner);
  fchmodSync(fd, bits);
  if (modified !== undefined) futimesSync(fd, now.atimeMs / 1000, modified);
}
