import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from '@photostructure/sqlite';
import { z } from 'zod';
import { ConductorError, messageOf } from '../shared/errors.ts';
import type { StatePaths } from './state-directory.ts';

export interface StateLock {
  release(): void;
}

const holderSchema = z.strictObject({ pid: z.int(), since: z.string() });

/**
 * Makes this process the only one that serves from a state directory. The lock is the kernel's, on
 * a file that SQLite locks: it ends with the process, however that ends, or when what is returned is
 * forgotten. Throws STATE_DIRECTORY_HELD.
 */
export function lockStateDirectory({ directory, lock, holder }: StatePaths): StateLock {
  // What holds no lock is damage, and nobody's: only a file of SQLite's, an empty one too, can be held.
  if (!isLockable(lock)) rmSync(lock, { force: true, recursive: true });
  const file = new DatabaseSync(lock, { timeout: 0 });
  try {
    file.exec('begin exclusive');
  } catch (cause) {
    file.close();
    const message = `Cannot serve from "${directory}": ${describeHolder(holder, cause)}`;
    throw new ConductorError('STATE_DIRECTORY_HELD', message, { cause });
  }
  const since = new Date().toISOString();
  rmSync(holder, { force: true, recursive: true });
  writeFileSync(holder, `${JSON.stringify({ pid: process.pid, since })}\n`, { mode: 0o600 });
  return {
    release() {
      rmSync(holder, { force: true });
      file.close();
    },
  };
}

function describeHolder(path: string, cause: unknown): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return `another process holds it (${messageOf(cause)})`;
  }
  const said = holderIn(text);
  if (said === null) return `another process holds it (${messageOf(cause)})`;
  const { pid, since } = said;
  return `process ${pid} holds it since ${since} (${commandOf(pid)})`;
}

/** `null` if the file is damaged: it only serves this message. */
function holderIn(text: string): z.infer<typeof holderSchema> | null {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function isLockable(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return true;
  if (!status.isFile() || status.uid !== process.geteuid?.()) return false;
  const head = readFileSync(path).subarray(0, SQLITE_HEAD.length);
  return head.length === 0 || head.equals(SQLITE_HEAD);
}

const SQLITE_HEAD = Buffer.from('SQLite format 3\0');

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return 'it has just ended';
  }
}
