import { shareOf } from '../../language/share.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import { canonicalJson } from '../../shared/canonical-json.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { BlobStore } from '../revisions/blob-store.ts';
import type { Publisher } from '../revisions/publisher.ts';
import type { Minion, Store } from '../store/store.ts';
import { type PillarKeys, sha256, wirePillar } from './compiled-pillar.ts';
import { refuseForeign } from './entitlement.ts';

export interface PrepareParts {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly blobs: BlobStore;
  readonly pillarKeys: PillarKeys;
}

type Prepare = Extract<MinionMessage, { type: 'prepare' }>;
type BlobRequest = Extract<MinionMessage, { type: 'blobs' }>;

/** Files that a session may ask for: those of the shares that it was given. */
export type Granted = Map<string, number>;

/** A whole answer in JSON must fit into one message. */
const ANSWER_BYTES = 90 * 1024 * 1024;

/**
 * The minion's share of a revision and its pillar; `refused`, with the whole text, if it asks for a
 * state file that is not its own, or if they do not compile.
 */
export async function prepare(
  parts: PrepareParts,
  { minion, granted }: { minion: Minion; granted: Granted },
  message: Prepare,
): Promise<MasterMessage> {
  return orRefused(message.request, async () => {
    const tree = await parts.publisher.tree(message.revision ?? (await newest(parts.publisher)));
    const facts = (await parts.store.minions.facts(minion.id))?.facts ?? {};
    const { stateFiles } = message;
    await refuseForeign(parts.store, { tree, minion, facts, stateFiles });
    const pillar = wirePillar(tree, minion, parts.pillarKeys);
    const manifest = shareOf(tree, minion, facts, stateFiles);
    for (const { sha256: blob, size } of manifest) granted.set(blob, size);
    const share = sha256(canonicalJson(manifest));
    return {
      type: 'prepared',
      request: message.request,
      revision: tree.revision,
      groups: [...minion.groups],
      share,
      manifest: message.have.share === share ? null : [...manifest],
      pillar: message.have.pillar === pillar.id ? null : pillar,
      pillarId: pillar.id,
    };
  });
}

async function newest(publisher: Publisher): Promise<string> {
  const publication = publisher.newest();
  if (publication !== null) return publication.revision;
  const message = 'Cannot prepare a run: no revision has been published';
  throw new ConductorError('REVISION_UNKNOWN', message);
}

/** Only what the minion was granted, whatever it asks for. */
export async function readBlobs(
  { blobs, publisher }: PrepareParts,
  granted: Granted,
  { request, sha256: asked }: BlobRequest,
): Promise<MasterMessage> {
  return orRefused(request, async () => {
    const sizes = asked.map((blob) => granted.get(blob));
    const stranger = asked.find((blob) => !granted.has(blob));
    if (stranger !== undefined) throw missing(stranger);
    const bytes = sizes.reduce<number>((sum, size) => sum + Math.ceil((size ?? 0) * (4 / 3)), 0);
    if (asked.length > 1 && bytes > ANSWER_BYTES) {
      const message = 'Cannot send so many blobs at once: ask for fewer';
      throw new ConductorError('MESSAGE_INVALID', message);
    }
    const read = () => asked.map((blob) => blobs.read(blob));
    const found = read();
    if (found.includes(null)) await publisher.restore(asked);
    const contents = (found.includes(null) ? read() : found).map((content, index) => {
      if (content === null) throw lost(asked[index] ?? '');
      return Buffer.from(content).toString('base64');
    });
    return { type: 'blobs', request, blobs: contents };
  });
}

function lost(blob: string): ConductorError {
  const message = `Cannot send the blob "${blob}": it was damaged, and the tree has another by now; run the newest revision`;
  return new ConductorError('STATE_DIRECTORY_INVALID', message);
}

function missing(blob: string): ConductorError {
  const message = `Cannot send the blob "${blob}": it is not in this minion's share`;
  return new ConductorError('NOT_FOUND', message);
}

async function orRefused(
  request: number,
  answer: () => Promise<MasterMessage>,
): Promise<MasterMessage> {
  try {
    return await answer();
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    const { code, message } = error;
    return { type: 'refused', request, error: { code, message } };
  }
}
