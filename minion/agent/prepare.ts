import type { Prepared } from '../agent-files.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { AtRest } from '../host/at-rest.ts';
import type { BlobCache } from './blob-cache.ts';
import { fetchBlobs, startHaul, unexpected } from './fetch-blobs.ts';
import type { Haul } from './fetch-blobs.ts';
import { keepLast, readLast } from './last-revision.ts';
import type { Link, Reply } from './link.ts';
import type { OnFetched } from './preparing.ts';

/** What a run wants to be prepared for. */
export interface Wanted {
  /** `null` for the newest. */
  readonly revision: string | null;
  readonly stateFiles: readonly string[];
  /** For a run that writes nothing: all that is kept is what the revision has that is not here yet. */
  readonly dryRun: boolean;
  readonly onFetched?: OnFetched;
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
/** So often a connection may break before anything has come that was not here before. */
const MOST_IN_VAIN = 3;

export function createPreparer(parts: PreparerParts): Preparer {
  const { link, patienceMs = PATIENCE_MS } = parts;
  return {
    prepare: async (wanted) => {
      const haul = startHaul(wanted.onFetched);
      for (let inVain = 0; ;) {
        const last = readLast(parts);
        const [before, wasConnected] = [haul.files, link.isConnected];
        const asked = await askOrNull(parts, { wanted, last, haul });
        if (asked !== null) return asked;
        const found = await withoutMaster(parts, wanted, last);
        if (found.status === 'prepared') return found;
        inVain = haul.files > before ? 0 : inVain + 1;
        if (inVain === MOST_IN_VAIN) return wasConnected ? broken(haul) : found;
        if (!(await link.connectedWithin(patienceMs))) return found;
      }
    },
  };
}

interface Asking {
  readonly wanted: Wanted;
  readonly last: Prepared | null;
  readonly haul: Haul;
}

/** `null` if the master is away, or goes away meanwhile. */
async function askOrNull(parts: PreparerParts, asking: Asking): Promise<Preparation | null> {
  try {
    return await askMaster(parts, asking);
  } catch (error) {
    if (error instanceof ConductorError && error.code === 'CHANNEL_CLOSED') return null;
    throw error;
  }
}

async function askMaster(
  parts: PreparerParts,
  { wanted: { revision, stateFiles, dryRun }, last, haul }: Asking,
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
  const refusal = await fetchBlobs(parts, prepared.manifest, haul);
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

function broken({ files }: Haul): Preparation {
  const message = `Cannot prepare a run: the connection to the master broke ${MOST_IN_VAIN} times in a row before a file of the revision had come (${files} came before)`;
  return { status: 'refused', error: { code: 'MASTER_UNREACHABLE', message } };
}
