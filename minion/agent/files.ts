import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { setAside } from '../host/durable-file.ts';
import { systemCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';

/** Reads one of the agent's own files; `null` if there is none. One that is damaged is put aside. */
export function readOwn<T>(path: string, parse: (value: unknown) => T, log: Logger): T | null {
  try {
    const text = textOrNull(path);
    return text === null ? null : parse(JSON.parse(text));
  } catch (error) {
    if (!isDamage(error)) throw error;
    log.error({ path, aside: setAside(path), error }, 'File was corrupt and has been put aside');
    return null;
  }
}

/** A directory in a file's place is damage too; that a disk fails is none of the file's. */
function isDamage(error: unknown): boolean {
  const code = systemCode(error);
  return code === undefined || code === 'EISDIR';
}

function textOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Names of the files in a directory of ours, sorted; none if it is not there yet. */
export function listOwn(directory: string, pattern: RegExp): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => pattern.test(name))
      .toSorted();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

export function removeOwn(path: string): void {
  rmSync(path, { force: true });
}
