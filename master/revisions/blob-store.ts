import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../../shared/errors.ts';

/** The files of all published revisions, each once, named by the SHA-256 of its bytes. */
export interface BlobStore {
  /** On disk when it returns. */
  write(sha256: string, bytes: Uint8Array): void;
  /** `null` if there is none; one that is not what its name says is removed, and told. */
  read(sha256: string): Uint8Array | null;
  /** Removes all that are not in `keep`; gives their number. */
  prune(keep: ReadonlySet<string>): number;
}

export function openBlobStore(
  directory: string,
  onDamage: (path: string) => void = () => undefined,
): BlobStore {
  makeDirectory(directory);
  const readWhole = (sha256: string): Uint8Array | null => {
    const path = join(directory, sha256);
    const found = read(path, sha256);
    if (found !== 'damaged') return found;
    // A whole one is put in its place from the tree directory.
    rmSync(path, { force: true, recursive: true });
    onDamage(path);
    return null;
  };
  return {
    write(sha256, bytes) {
      if (readWhole(sha256) === null) write(join(directory, sha256), bytes);
    },
    read: readWhole,
    prune(keep) {
      const stale = readdirSync(directory).filter((name) => !keep.has(name));
      for (const name of stale) rmSync(join(directory, name), { force: true, recursive: true });
      return stale.length;
    },
  };
}

/** It holds nothing that the tree does not: what is in its place is no loss. */
function makeDirectory(path: string): void {
  const isThere = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (isThere === false) rmSync(path);
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

function write(path: string, bytes: Uint8Array): void {
  const temporary = `${path}.${process.pid}.new`;
  rmSync(temporary, { force: true, recursive: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function read(path: string, sha256: string): Uint8Array | 'damaged' | null {
  try {
    const bytes = readFileSync(path);
    return createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : 'damaged';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return null;
    // The directory is the master's own: what it cannot read there is not what it has written.
    if (code === 'EISDIR' || code === 'EACCES') return 'damaged';
    throw error;
  }
}
