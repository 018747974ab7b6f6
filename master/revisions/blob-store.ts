import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { ConductorError, systemCode } from '../../shared/errors.ts';

/** The files of all published revisions, each once, named by the SHA-256 of its bytes. */
export interface BlobStore {
  /** On disk when it returns. */
  write(sha256: string, bytes: Uint8Array): void;
  /** `null` if there is none. Throws if what is there is not what its name says. */
  read(sha256: string): Uint8Array | null;
  /** Removes all that are not in `keep`; gives their number. */
  prune(keep: ReadonlySet<string>): number;
}

export function openBlobStore(directory: string): BlobStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    write: (sha256, bytes) => write(join(directory, sha256), bytes),
    read: (sha256) => read(join(directory, sha256), sha256),
    prune(keep) {
      const stale = readdirSync(directory).filter((name) => !keep.has(name));
      for (const name of stale) rmSync(join(directory, name), { force: true });
      return stale.length;
    },
  };
}

function write(path: string, bytes: Uint8Array): void {
  if (statSync(path, { throwIfNoEntry: false })?.size === bytes.length) return;
  const temporary = `${path}.${process.pid}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function read(path: string, sha256: string): Uint8Array | null {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  // It is taken away, so that publishing the revision again puts a whole one in its place.
  rmSync(path, { force: true });
  const message = `Cannot read the blob "${path}": it is damaged`;
  throw new ConductorError('STATE_DIRECTORY_INVALID', message);
}
