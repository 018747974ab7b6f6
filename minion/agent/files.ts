import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { corruptIn, makeOwnDirectory, readStored, setAside } from '../host/durable-file.ts';
import { systemCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';

/** Reads one of the agent's own files; `null` if there is none. One that is damaged is put aside. */
export function readOwn<T>(path: string, parse: (value: unknown) => T, log: Logger): T | null {
  const stored = readStored(path, { parse });
  if (stored.status === 'corrupt') putAside(path, stored.why, log);
  return stored.status === 'ok' ? stored.value : null;
}

/** Puts a damaged file of the agent's aside, and says so. */
export function putAside(path: string, why: string, log: Logger): void {
  log.error({ path, aside: setAside(path), why }, 'File was corrupt and has been put aside');
}

/** Makes one of the agent's own directories; what stands in its place and is none is put aside, and that is said. */
export function makeOwn(path: string, log: Logger): void {
  const aside = makeOwnDirectory(path);
  if (aside !== null)
    log.error({ path, aside }, 'Something stood in place of a directory and has been put aside');
}

/** What lies aside below the state directory: the newest of each of its directories. */
export function filesPutAside(stateDirectory: string): string[] {
  const directories = ['.', 'spool', 'jobs', 'keeps'];
  return directories.flatMap((directory) =>
    corruptIn(join(stateDirectory, directory))
      .slice(-MOST_TOLD)
      .map((name) => join(directory, name)),
  );
}

const MOST_TOLD = 20;

/** Names of the files in a directory of ours, sorted; none if there is no directory. */
export function listOwn(directory: string, pattern: RegExp): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => pattern.test(name))
      .toSorted();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

export function removeOwn(path: string): void {
  rmSync(path, { force: true });
}
