import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** What may stand in place of a directory and is none. */
export const IN_THE_WAY = ['a file', 'a pipe', 'a link to nothing', 'a link to a file'] as const;

/** Puts it there, in place of what was. */
export function putInTheWay(path: string, what: (typeof IN_THE_WAY)[number]): void {
  rmSync(path, { force: true, recursive: true });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (what === 'a file') writeFileSync(path, 'no directory');
  else if (what === 'a pipe') execFileSync('mkfifo', [path]);
  else symlinkSync(what === 'a link to nothing' ? '/nowhere/at/all' : '/etc/hostname', path);
}
