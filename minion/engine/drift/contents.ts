import { readFileSync, readdirSync, rmSync, statSync, statfsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { ConductorError, systemCode } from '../../../shared/errors.ts';
import type { AtRest } from '../../host/at-rest.ts';
import { makeOwnDirectory, writeDurably } from '../../host/durable-file.ts';
import { fileError } from '../../host/file-error.ts';

/** What became of a content that was to be kept. */
export type Kept = { readonly kept: string } | { readonly notKept: string };

/**
 * What files held before drift was taken back, each by a digest, for root to look at. Whoever has changed a file may have
 * put a secret into it, so they are sealed, and reports of them name a digest that nothing can be guessed by.
 */
export interface Contents {
  /** On disk when it returns. */
  keep(content: Uint8Array): Kept;
}

export interface Limits {
  /** Of one content. */
  readonly largest: number;
  /** Of all together. */
  readonly bytes: number;
  readonly count: number;
  /** So much of the disk stays free. */
  readonly free: number;
}

const MIB = 1024 * 1024;

export const LIMITS: Limits = {
  largest: MIB,
  bytes: 64 * MIB,
  count: 1000,
  free: 128 * MIB,
};

/** Where a minion keeps them. */
export function contentsDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'drift');
}

/** Keeps contents in a directory; the oldest go when they would be too many. None without a key. */
export function openContents(directory: string, atRest: AtRest | null, limits = LIMITS): Contents {
  return {
    keep(content) {
      if (atRest === null) return { notKept: 'there is no key to seal it with' };
      if (content.length > limits.largest)
        return { notKept: `it is larger than ${Math.round(limits.largest / 1024)} KiB` };
      const kept = atRest.digest(content);
      const sealed = atRest.seal(content);
      const path = join(directory, kept);
      makeOwnDirectory(directory);
      const stored = storedIn(directory);
      if (stored.some(({ name }) => name === kept)) {
        const now = new Date();
        utimesSync(path, now, now);
        return { kept };
      }
      makeRoom(directory, stored, {
        bytes: limits.bytes - sealed.length,
        count: limits.count - 1,
      });
      if (freeBytes(directory) - sealed.length < limits.free)
        return { notKept: 'the disk is nearly full' };
      writeDurably(path, sealed);
      return { kept };
    },
  };
}

/** The content whose digest begins so. Throws NOT_FOUND. */
export function findContent(directory: string, start: string, atRest: AtRest): Uint8Array {
  const found = namesIn(directory).filter((name) => name.startsWith(start));
  const [name = start] = found;
  if (found.length !== 1) {
    const state = found.length === 0 ? 'it is not kept, or no longer' : 'several begin like that';
    throw new ConductorError('NOT_FOUND', `Cannot show "${start}": ${state}`);
  }
  const content = atRest.open(read(join(directory, name)));
  if (content !== null && atRest.digest(content) === name) return content;
  throw new ConductorError('NOT_FOUND', `Cannot show "${name}": what is kept of it is damaged`);
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
}

interface Stored {
  readonly name: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Oldest first. A part that a killed run has left counts and goes like any other. */
function storedIn(directory: string): readonly Stored[] {
  return namesIn(directory)
    .map((name) => {
      const { size, mtimeMs } = statSync(join(directory, name));
      return { name, size, mtimeMs };
    })
    .toSorted((a, b) => a.mtimeMs - b.mtimeMs);
}

/** None where nothing has been kept yet. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError('list', directory, error);
    return [];
  }
}

function makeRoom(
  directory: string,
  stored: readonly Stored[],
  { bytes, count }: { readonly bytes: number; readonly count: number },
): void {
  let left = stored.reduce((sum, { size }) => sum + size, 0);
  for (const [index, { name, size }] of stored.entries()) {
    if (left <= bytes && stored.length - index <= count) return;
    rmSync(join(directory, name), { force: true });
    left -= size;
  }
}

/** Of the file system that the directory is on, or will be. */
function freeBytes(directory: string): number {
  for (const path of [directory, join(directory, '..')]) {
    try {
      const { bavail, bsize } = statfsSync(path);
      return bavail * bsize;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw fileError('look at', path, error);
    }
  }
  return 0;
}
