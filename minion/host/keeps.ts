import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { AtRest } from './at-rest.ts';
import {
  clearPlace,
  makeOwnDirectory,
  readOwnBytes,
  setAside,
  writeDurably,
} from './durable-file.ts';
import { fileError } from './file-error.ts';

/**
 * What has to be there again if a run is killed, by name: the old contents of what it is about to replace. For root
 * alone, and sealed, for they may hold secrets.
 */
export interface Keeps {
  /** `null` if there is nothing, or it cannot be read any more. */
  get(name: string): Uint8Array | null;
  /**
   * `null` forgets. On disk when it returns; what cannot be kept (for want of room or of a key) is told in the log, for
   * it would only be missed after a kill.
   */
  put(name: string, content: Uint8Array | null): void;
  names(): readonly string[];
}

export interface KeepLimits {
  /** Of all together. */
  readonly bytes: number;
  readonly count: number;
  /** So much of the disk stays free. */
  readonly free: number;
}

const MIB = 1024 * 1024;
const LIMITS: KeepLimits = { bytes: 64 * MIB, count: 1000, free: 128 * MIB };

export interface KeepPlace {
  readonly stateDirectory: string;
  /** `null`: nothing is kept. */
  readonly atRest: AtRest | null;
  readonly log: Logger;
  readonly limits?: KeepLimits;
}

export function openKeeps(place: KeepPlace): Keeps {
  const { atRest, log } = place;
  const directory = join(place.stateDirectory, 'keeps');
  const pathOf = (name: string): string => join(directory, fileName(name));
  return {
    get: (name) => (atRest === null ? null : (read(pathOf(name), atRest, log)?.content ?? null)),
    put(name, content) {
      clear(directory, log);
      const why =
        content === null ? removed(pathOf(name)) : write(place, directory, { name, content });
      if (why !== null) log.warn({ why }, 'Old content could not be kept, or forgotten');
    },
    names() {
      clear(directory, log);
      return namesIn(directory).flatMap((file) => {
        const kept = atRest === null ? null : read(join(directory, file), atRest, log);
        return kept === null ? [] : [kept.name];
      });
    },
  };
}

/** What is no directory holds nothing that could be taken for what was there. */
function clear(directory: string, log: Logger): void {
  const aside = clearPlace(directory);
  if (aside !== null) log.error({ aside }, 'Old content that was kept is damaged');
}

function fileName(name: string): string {
  return `${createHash('sha256').update(name).digest('hex')}.sealed`;
}

/** Why it could not be; `null` if it is gone. */
function removed(path: string): string | null {
  try {
    rmSync(path, { force: true });
    return null;
  } catch (error) {
    return messageOf(fileError('remove', path, error));
  }
}

interface Kept {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Why it is not kept; `null` if it is. */
function write(
  { atRest, limits = LIMITS }: KeepPlace,
  directory: string,
  { name, content }: Kept,
): string | null {
  if (atRest === null) return 'there is no key to seal it with';
  const others = namesIn(directory).filter((file) => file !== fileName(name));
  const sizes = others.map((file) => statSync(join(directory, file)).size);
  const total = sizes.reduce((sum, size) => sum + size, content.length);
  if (others.length >= limits.count || total > limits.bytes) return 'too much is kept already';
  try {
    makeOwnDirectory(directory);
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize - content.length < limits.free) return 'the disk is nearly full';
    const sealed = atRest.seal(Buffer.concat([Buffer.from(`${JSON.stringify(name)}\n`), content]));
    writeDurably(join(directory, fileName(name)), sealed);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** What cannot be opened is put aside: nobody can take it for what was there. */
function read(path: string, atRest: AtRest, log: Logger): Kept | null {
  const stored = readOwnBytes(path);
  if (stored.status === 'missing') return null;
  const opened = stored.status === 'ok' ? atRest.open(stored.value) : null;
  const end = opened?.indexOf(NEWLINE) ?? -1;
  if (opened !== null && end !== -1) {
    const name: unknown = JSON.parse(Buffer.from(opened.subarray(0, end)).toString());
    if (typeof name === 'string') return { name, content: opened.subarray(end + 1) };
  }
  log.error({ aside: setAside(path) }, 'Old content that was kept is damaged');
  return null;
}

const NEWLINE = 0x0a;

/** None where nothing has been kept yet. */
function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.sealed'));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw fileError('list', directory, error);
    return [];
  }
}
