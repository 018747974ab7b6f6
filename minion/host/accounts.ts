import type { Account, AccountGroup } from './host.ts';

/** Lines of `getent passwd`. */
export function parsePasswd(text: string): ReadonlyMap<string, Account> {
  const accounts = fieldsOf(text, 7).map(
    ([name = '', , uid, gid, gecos = '', home = '', shell = '']) => ({
      name,
      uid: Number(uid),
      gid: Number(gid),
      gecos,
      home,
      shell,
    }),
  );
  return byName(accounts);
}

/** Lines of `getent group`. */
export function parseGroup(text: string): ReadonlyMap<string, AccountGroup> {
  const groups = fieldsOf(text, 4).map(([name = '', , gid, members = '']) => ({
    name,
    gid: Number(gid),
    members: members === '' ? [] : members.split(','),
  }));
  return byName(groups);
}

/** The first of equal ids, as the system itself answers. */
export function namesById<T>(
  named: ReadonlyMap<string, T>,
  idOf: (entry: T) => number,
): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, entry] of named) {
    if (!names.has(idOf(entry))) names.set(idOf(entry), name);
  }
  return names;
}

function fieldsOf(text: string, count: number): string[][] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= count);
}

function byName<T extends { readonly name: string }>(named: readonly T[]): ReadonlyMap<string, T> {
  const map = new Map<string, T>();
  for (const entry of named) if (!map.has(entry.name)) map.set(entry.name, entry);
  return map;
}
