import type { ManifestEntry } from '../../language/tree.ts';
import type { Prepared } from '../agent-files.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { AtRest } from '../host/at-rest.ts';
import type { BlobCache } from './blob-cache.ts';
import { keepLast, readLast } from './last-revision.ts';
import type { Link, Reply } from './link.ts';

/** What a run wants to be prepared for. */
export interface Wanted {
  /** `null` for the newest. */
  readonly revision: string | null;
  readonly stateFiles: readonly string[];
  /** For a run that writes nothing: all that is kept is what the revision has that is not here yet. */
  readonly dryRun: boolean;
}

/** Why a run cannot be: the master has refused, or cannot be asked. */
export interface Unprepared {
  readonly code: string;
  readonly message: string;
}

export type Preparation =
  | { readonly status: 'prepared'; readonly prepared: Prepared }
  | { readonly status: 'refused'; readonly error: Unprepared };

export interface Preparer {
  /** Asks the master; without one, takes what it last gave if that will do. */
  prepare(wanted: Wanted): Promise<Preparation>;
}

export interface PreparerParts {
  readonly link: Link;
  readonly blobs: BlobCache;
  readonly stateDirectory: string;
  readonly atRest: AtRest;
  readonly log: Logger;
  /** How long to wait for a master that is away and without whom the run cannot be. */
  readonly patienceMs?: number;
  /** A pillar has come, for a run that is no dry run. */
  readonly learned?: (pillar: Prepared['pillar']['value']) => void;
}

const PATIENCE_MS = 120_000;
const MOST_ATTEMPTS = 3;

export function createPreparer(parts: PreparerParts): Preparer {
  const { link, patienceMs = PATIENCE_MS } = parts;
  return {
    prepare: async (wanted) => {
      for (let attempt = 1; ; attempt += 1) {
        const last = readLast(parts);
        const asked = await askOrNull(parts, wanted, last);
        if (asked !== null) return asked;
        const found = await withoutMaster(parts, wanted, last);
        if (found.status === 'prepared' || attempt === MOST_ATTEMPTS) return found;
        if (!(await link.connectedWithin(patienceMs))) return found;
      }
    },
  };
}

/** `null` if the master is away, or goes away meanwhile. */
async function askOrNull(
  parts: PreparerParts,
  wanted: Wanted,
  last: Prepared | null,
): Promise<Preparation | null> {
  try {
    return await askMaster(parts, wanted, last);
  } catch (error) {
    if (error instanceof ConductorError && error.code === 'CHANNEL_CLOSED') return null;
    throw error;
  }
}

async function askMaster(
  parts: PreparerParts,
  { revision, stateFiles, dryRun }: Wanted,
  last: Prepared | null,
): Promise<Preparation> {
  const have = { share: last?.share ?? null, pillar: last?.pillar.id ?? null };
  const reply = await parts.link.ask({
    type: 'prepare',
    revision,
    have,
    stateFiles: [...stateFiles],
  });
  if (reply.type === 'refused') return { status: 'refused', error: reply.error };
  if (reply.type !== 'prepared') throw unexpected(reply);
  const prepared = complete(reply, last);
  const refusal = await fetchBlobs(parts, prepared.manifest);
  if (refusal !== null) return { status: 'refused', error: refusal };
  if (!dryRun) await keep(parts, prepared, { isWhole: stateFiles.length === 0 });
  return { status: 'prepared', prepared };
}

async function keep(
  parts: PreparerParts,
  prepared: Prepared,
  { isWhole }: { readonly isWhole: boolean },
): Promise<void> {
  parts.learned?.(prepared.pillar.value);
  if (isWhole) keepLast(parts, prepared);
  await parts.blobs.shrink(new Set(prepared.manifest.map(({ sha256 }) => sha256)));
}

type PreparedReply = Extract<Reply, { readonly type: 'prepared' }>;

/** The master leaves out what this minion has said that it holds. */
function complete(reply: PreparedReply, last: Prepared | null): Prepared {
  const { revision, groups, share } = reply;
  const manifest = reply.manifest ?? (last?.share === share ? last.manifest : null);
  const pillar = reply.pillar ?? (last?.pillar.id === reply.pillarId ? last.pillar : null);
  if (manifest === null || pillar === null) throw unexpected(reply);
  return { revision, groups, share, manifest, pillar };
}

const BATCH_FILES = 64;
const BATCH_BYTES = 4 * 1024 * 1024;

/** Gets what is not here, or not whole; the error if the master refuses. */
async function fetchBlobs(
  { link, blobs }: PreparerParts,
  manifest: readonly ManifestEntry[],
): Promise<Unprepared | null> {
  for (const batch of await batchesOf(blobs, manifest)) {
    const reply = await link.ask({ type: 'blobs', sha256: batch });
    if (reply.type === 'refused') return reply.error;
    if (reply.type !== 'blobs' || reply.blobs.length !== batch.length) throw unexpected(reply);
    for (const [index, sha256] of batch.entries())
      blobs.put(sha256, Buffer.from(reply.blobs[index] ?? '', 'base64'));
  }
  return null;
}

/** The missing ones, in requests that are neither too many nor too large to answer. */
async function batchesOf(
  blobs: BlobCache,
  manifest: readonly ManifestEntry[],
): Promise<string[][]> {
  const sizes = new Map(manifest.map(({ sha256, size }) => [sha256, size]));
  const batches: string[][] = [];
  let room = 0;
  for (const [sha256, size] of sizes) {
    if (await blobs.has(sha256)) continue;
    const current = batches.at(-1);
    if (current === undefined || current.length === BATCH_FILES || size > room) {
      batches.push([sha256]);
      room = BATCH_BYTES - size;
    } else {
      current.push(sha256);
      room -= size;
    }
  }
  return batches;
}

/** Converging on the last good revision is better than not at all; anything else would be a guess. */
async function withoutMaster(
  parts: PreparerParts,
  { revision, stateFiles }: Wanted,
  last: Prepared | null,
): Promise<Preparation> {
  const isRight = revision === null || revision === last?.revision;
  if (last === null || !isRight || stateFiles.length > 0) return offline('it has not been given');
  for (const { sha256 } of last.manifest) {
    if (!(await parts.blobs.has(sha256))) return offline(`its blob "${sha256}" is damaged`);
  }
  parts.log.warn({ revision: last.revision }, 'Master was away: used the last good revision');
  return { status: 'prepared', prepared: last };
}

function offline(problem: string): Preparation {
  const message = `Cannot prepare a run: the master is away, and of the revision here ${problem}`;
  return { status: 'refused', error: { code: 'MASTER_UNREACHABLE', message } };
}

function unexpected(reply: Reply): ConductorError {
  return new ConductorError('MESSAGE_INVALID', `Cannot use the "${reply.type}" of the master`);
}
