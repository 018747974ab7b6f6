import type { ManifestEntry } from '../../language/tree.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { BlobCache } from './blob-cache.ts';
import type { Link, Reply } from './link.ts';
import type { OnFetched } from './preparing.ts';

/** What has come for one run, over as many connections as it takes. */
export interface Haul {
  files: number;
  /** How much to ask for at once: less after each connection that broke, as all of an answer is lost with it. */
  batchBytes: number;
  readonly onFetched: OnFetched;
}

const BATCH_FILES = 64;
const BATCH_BYTES = 4 * 1024 * 1024;

export function startHaul(onFetched: OnFetched = () => undefined): Haul {
  return { files: 0, batchBytes: BATCH_BYTES, onFetched };
}

/** Gets what is not here, or not whole; the error if the master refuses. */
export async function fetchBlobs(
  { link, blobs }: { readonly link: Link; readonly blobs: BlobCache },
  manifest: readonly ManifestEntry[],
  haul: Haul,
): Promise<Extract<Reply, { readonly type: 'refused' }>['error'] | null> {
  const batches = await batchesOf(blobs, manifest, haul.batchBytes);
  const all = haul.files + batches.flat().length;
  for (const batch of batches) {
    haul.onFetched(haul.files, all);
    const reply = await askFor(link, batch, haul);
    if (reply.type === 'refused') return reply.error;
    if (reply.type !== 'blobs' || reply.blobs.length !== batch.length) throw unexpected(reply);
    for (const [index, sha256] of batch.entries())
      blobs.put(sha256, Buffer.from(reply.blobs[index] ?? '', 'base64'));
    haul.files += batch.length;
  }
  return null;
}

async function askFor(link: Link, batch: string[], haul: Haul): Promise<Reply> {
  try {
    return await link.ask({ type: 'blobs', sha256: batch });
  } catch (error) {
    haul.batchBytes = Math.floor(haul.batchBytes / 4);
    throw error;
  }
}

/** The missing ones, in requests that are neither too many nor too large to answer. */
async function batchesOf(
  blobs: BlobCache,
  manifest: readonly ManifestEntry[],
  batchBytes: number,
): Promise<string[][]> {
  const sizes = new Map(manifest.map(({ sha256, size }) => [sha256, size]));
  const batches: string[][] = [];
  let room = 0;
  for (const [sha256, size] of sizes) {
    if (await blobs.has(sha256)) continue;
    const current = batches.at(-1);
    if (current === undefined || current.length === BATCH_FILES || size > room) {
      batches.push([sha256]);
      room = batchBytes - size;
    } else {
      current.push(sha256);
      room -= size;
    }
  }
  return batches;
}

export function unexpected(reply: Reply): ConductorError {
  return new ConductorError('MESSAGE_INVALID', `Cannot use the "${reply.type}" of the master`);
}
