import { closeSync, fsync, renameSync } from 'node:fs';
import { posix } from 'node:path';
import { promisify } from 'node:util';
import { explaining, fileError } from './file-error.ts';
import type { FileToWrite } from './host.ts';
import type { Owner } from './ownership.ts';
import { besideSpot, openSpot } from './safe-path.ts';
import type { Spot } from './safe-path.ts';
import { stage, stagingName, unstage } from './write-file.ts';

const MOST_FILES = 200;
const MOST_BYTES = 32 * 1024 * 1024;

/** Files in numbers that can be held open together, with content that fits into memory. */
export function* batchesOf(files: Iterable<FileToWrite>): Generator<readonly FileToWrite[]> {
  let batch: FileToWrite[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += file.content.length;
    if (batch.length < MOST_FILES && bytes < MOST_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** A file of a batch, in the system's numbers. */
export interface OwnedFile extends Pick<FileToWrite, 'path' | 'content'> {
  readonly owner: Owner;
}

/**
 * Replaces each file in one step, as `writeFile` does. All new contents are on the disk before the
 * first is put in place; the system brings many there in hardly more time than one. Where one
 * cannot be written, none of them is.
 */
export async function writeTogether(files: readonly OwnedFile[]): Promise<void> {
  const directories = new Map<string, Spot>();
  const staged: Staged[] = [];
  try {
    for (const file of files) staged.push(stageIn(directories, file));
    await syncAll(staged.map(({ fd, spot: { path } }) => ({ fd, path })));
    for (const one of staged) putInPlace(one);
    await syncAll([...directories].map(([path, { fd }]) => ({ fd, path })));
  } catch (error) {
    for (const { spot, isInPlace } of staged) if (!isInPlace) unstage(spot);
    throw error;
  } finally {
    for (const { fd } of [...staged, ...directories.values()]) closeSync(fd);
  }
}

interface Staged {
  readonly spot: Spot;
  readonly fd: number;
  isInPlace: boolean;
}

function stageIn(directories: Map<string, Spot>, { path, content, owner }: OwnedFile): Staged {
  return explaining('write', path, () => {
    const directory = posix.dirname(path);
    const known = directories.get(directory);
    const spot = known === undefined ? openSpot('write', path) : besideSpot('write', path, known);
    directories.set(directory, spot);
    return { spot, fd: stage(spot, content, owner), isInPlace: false };
  });
}

function putInPlace(staged: Staged): void {
  const { spot } = staged;
  explaining('write', spot.path, () => renameSync(stagingName(spot), spot.at));
  // oxlint-disable-next-line no-param-reassign -- what is in place is not to be taken away again
  staged.isInPlace = true;
}

const synced = promisify(fsync);

/** All of them are done, or have failed, when it returns: only then may they be closed. */
async function syncAll(
  opened: readonly { readonly fd: number; readonly path: string }[],
): Promise<void> {
  const results = await Promise.allSettled(opened.map(async ({ fd }) => synced(fd)));
  for (const [index, result] of results.entries()) {
    if (result.status === 'rejected')
      throw fileError('write', opened[index]?.path ?? '', result.reason);
  }
}
