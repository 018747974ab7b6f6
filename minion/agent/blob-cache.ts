import { createHash } from 'node:crypto';
import { readdir, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConductorError, systemCode } from '../../shared/errors.ts';
import { fileError } from '../host/file-error.ts';

/** Files of revisions by their SHA-256, so that each crosses the wire once. */
export interface BlobCache {
  readonly directory: string;
  /** Whether the blob is here, whole: its bytes are hashed. One that is damaged is removed. */
  has(sha256: string): Promise<boolean>;
  /** Throws MESSAGE_INVALID if the bytes are not what they should be. */
  put(sha256: string, bytes: Uint8Array): void;
  /** Notes that `keep` are in use, and removes those unused for longest until the rest is small enough. */
  shrink(keep: ReadonlySet<string>): Promise<void>;
}

const MAXIMUM_BYTES = 512 * 1024 * 1024;

export function openBlobCache(
  stateDirectory: string,
  { maximumBytes = MAXIMUM_BYTES, now = () => new Date() } = {},
): BlobCache {
  const directory = join(stateDirectory, 'blobs');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    directory,
    has: (sha256) => isWhole(join(directory, sha256), sha256),
    put: (sha256, bytes) => {
      if (hashOf(bytes) !== sha256)
        throw new ConductorError('MESSAGE_INVALID', `Cannot keep blob "${sha256}": it is another`);
      // No sync: a blob that a crash has damaged is found out when it is next looked for.
      const staged = join(directory, `.${sha256}.new`);
      try {
        writeFileSync(staged, bytes, { mode: 0o600 });
        renameSync(staged, join(directory, sha256));
      } catch (error) {
        rmSync(staged, { force: true });
        throw fileError('write', join(directory, sha256), error);
      }
    },
    shrink: async (keep) => {
      await Promise.all([...keep].map((sha256) => touch(join(directory, sha256), now())));
      await shrink(directory, keep, maximumBytes);
    },
  };
}

async function isWhole(path: string, sha256: string): Promise<boolean> {
  try {
    const isRight = hashOf(await readFile(path)) === sha256;
    if (!isRight) await unlink(path);
    return isRight;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
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
      const { size, mtimeMs } = await stat(join(directory, name));
      return { name, size, mtimeMs };
    }),
  );
  let total = blobs.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of blobs.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= maximumBytes) return;
    if (keep.has(name)) continue;
    await unlink(join(directory, name));
    total -= size;
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
