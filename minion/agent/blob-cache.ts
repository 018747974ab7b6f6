import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ConductorError, systemCode } from '../../shared/errors.ts';
import type { AtRest } from '../host/at-rest.ts';
import { makeOwnDirectory } from '../host/durable-file.ts';
import { fileError } from '../host/file-error.ts';

/** Files of revisions by their SHA-256, each sealed, so that each crosses the wire once. */
export interface BlobCache {
  readonly directory: string;
  /** Whether the blob is here, whole: it is opened and hashed. Whatever else is in its place is removed. */
  has(sha256: string): Promise<boolean>;
  /** Throws MESSAGE_INVALID if the bytes are not what they should be. */
  put(sha256: string, bytes: Uint8Array): void;
  /** Notes that `keep` are in use, and removes those unused for longest until the rest is small enough. */
  shrink(keep: ReadonlySet<string>): Promise<void>;
}

const MAXIMUM_BYTES = 512 * 1024 * 1024;

export function openBlobCache(
  stateDirectory: string,
  atRest: AtRest,
  { maximumBytes = MAXIMUM_BYTES, now = () => new Date() } = {},
): BlobCache {
  const directory = join(stateDirectory, 'blobs');
  makeOwnDirectory(directory);
  return {
    directory,
    has: async (sha256) => {
      makeOwnDirectory(directory);
      return isWhole(join(directory, sha256), sha256, atRest);
    },
    put: (sha256, bytes) => {
      if (hashOf(bytes) !== sha256)
        throw new ConductorError('MESSAGE_INVALID', `Cannot keep blob "${sha256}": it is another`);
      writeSealed(join(directory, sha256), bytes, atRest);
    },
    shrink: async (keep) => {
      await Promise.all([...keep].map((sha256) => touch(join(directory, sha256), now())));
      await shrink(directory, keep, maximumBytes);
    },
  };
}

/** No sync: a blob that a crash has damaged is found out when it is next looked for. */
function writeSealed(path: string, bytes: Uint8Array, atRest: AtRest): void {
  const staged = `${dirname(path)}/.${basename(path)}.new`;
  try {
    rmSync(staged, { force: true, recursive: true });
    writeFileSync(staged, atRest.seal(bytes), { mode: 0o600 });
    renameSync(staged, path);
  } catch (error) {
    rmSync(staged, { force: true, recursive: true });
    throw fileError('write', path, error);
  }
}

async function isWhole(path: string, sha256: string, atRest: AtRest): Promise<boolean> {
  const found = await readFileOrNull(path);
  const bytes = found === null ? null : atRest.open(found);
  if (bytes !== null && hashOf(bytes) === sha256) return true;
  if (found !== null && hashOf(found) === sha256) {
    // An older version has kept it in plain.
    writeSealed(path, found, atRest);
    return true;
  }
  await rm(path, { force: true, recursive: true });
  return false;
}

/** `null` if there is none, or what is there is no file. */
async function readFileOrNull(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'EISDIR') return null;
    throw fileError('read', path, error);
  }
}

async function touch(path: string, now: Date): Promise<void> {
  try {
    await utimes(path, now, now);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

async function shrink(
  directory: string,
  keep: ReadonlySet<string>,
  maximumBytes: number,
): Promise<void> {
  const names = await readdir(directory);
  const blobs = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await lstat(join(directory, name));
      return { name, size, mtimeMs };
    }),
  );
  let total = blobs.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of blobs.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= maximumBytes) return;
    if (keep.has(name)) continue;
    await rm(join(directory, name), { force: true, recursive: true });
    total -= size;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
