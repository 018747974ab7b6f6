import { renderProblems } from '../../language/problem.ts';
import { readDirectory, treeFromBlobs } from '../../language/source.ts';
import type { StateSchemas } from '../../language/state-schema.ts';
import type { Tree } from '../../language/tree.ts';
import { ConductorError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import { lintTree } from '../custom-types.ts';
import type { Store } from '../store/store.ts';
import type { BlobStore } from './blob-store.ts';

/** A tree directory that cannot be published, and the whole text that says why. */
export interface BrokenTree {
  readonly since: string;
  readonly message: string;
}

export interface Publication {
  readonly revision: string;
  readonly publishedAt: string;
}

/** Turns the tree directory into revisions: whole ones, and only those without a mistake. */
export interface Publisher {
  /** The newest good revision; `null` if there has never been one. */
  newest(): Publication | null;
  /** Why the directory, as it is now, is not the newest revision; `null` if it is. */
  broken(): BrokenTree | null;
  /** Reads the directory again and publishes what is new and good. Never throws for its content. */
  refresh(): Promise<void>;
  /** The newest revision. Throws TREE_INVALID if the directory is broken. */
  current(): Promise<Publication>;
  /** Throws REVISION_UNKNOWN, and STATE_DIRECTORY_INVALID if it is not whole any more. */
  tree(revision: string): Promise<Tree>;
  /** Takes blobs that were damaged or lost from the tree directory again, if it still has them. */
  restore(sha256: readonly string[]): Promise<void>;
}

export interface PublisherParts {
  readonly directory: string;
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly states: StateSchemas;
  readonly log: Logger;
  readonly now: () => Date;
}

/** How many revisions are kept beyond those in use, and how many are held in memory. */
const KEPT_REVISIONS = 20;
const TREES_IN_MEMORY = 3;

/** What the publisher knows at a moment. */
interface State {
  newest: Publication | null;
  broken: BrokenTree | null;
  readonly trees: Map<string, Tree>;
}

export async function createPublisher(parts: PublisherParts): Promise<Publisher> {
  const last = await parts.store.revisions.newest();
  const newest = last === null ? null : { revision: last.id, publishedAt: last.publishedAt };
  const state: State = { newest, broken: null, trees: new Map() };
  let queue: Promise<void> = Promise.resolve();

  /** One after the other; what one met is told to whom it belongs, and stops nobody else. */
  function refresh(): Promise<void> {
    queue = queue.then(
      () => look(parts, state),
      () => look(parts, state),
    );
    return queue;
  }

  return {
    newest: () => state.newest,
    broken: () => state.broken,
    refresh,
    async current() {
      await refresh();
      if (state.broken !== null) throw new ConductorError('TREE_INVALID', state.broken.message);
      if (state.newest !== null) return state.newest;
      throw new ConductorError('REVISION_UNKNOWN', 'Cannot apply: no revision has been published');
    },
    async tree(revision) {
      const tree = state.trees.get(revision) ?? (await load(parts, revision));
      remember(state.trees, tree);
      return tree;
    },
    restore: (sha256) => restore(parts, sha256),
  };
}

async function look(parts: PublisherParts, state: State): Promise<void> {
  const found = await inspect(parts, state);
  if ('problem' in found) {
    if (state.broken?.message === found.problem) return;
    state.broken = { since: parts.now().toISOString(), message: found.problem };
    parts.log.warn({ problem: found.problem }, 'Tree found broken');
    return;
  }
  if (found.tree.revision !== state.newest?.revision)
    state.newest = await publish(parts, found.tree);
  state.broken = null;
  remember(state.trees, found.tree);
}

async function inspect(
  { directory, states }: PublisherParts,
  { newest }: State,
): Promise<{ readonly tree: Tree } | { readonly problem: string }> {
  try {
    const tree = await readDirectory(directory);
    // What has been published was without a mistake then.
    const problems = tree.revision === newest?.revision ? [] : await lintTree(tree, states);
    return problems.length === 0 ? { tree } : { problem: renderProblems(problems) };
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    return { problem: error.message };
  }
}

/** Blobs first, then the row that names them: a revision that is known is whole. */
async function publish(parts: PublisherParts, tree: Tree): Promise<Publication> {
  const { store, blobs, log, now } = parts;
  for (const { path, sha256 } of tree.manifest) {
    const bytes = tree.read(path);
    if (bytes === null) throw new Error(`the tree has lost its file "${path}"`);
    blobs.write(sha256, bytes);
  }
  const publishedAt = now().toISOString();
  await store.revisions.publish({ id: tree.revision, publishedAt, manifest: tree.manifest });
  const kept = await store.revisions.prune(KEPT_REVISIONS);
  blobs.prune(new Set(kept.flatMap(({ manifest }) => manifest.map(({ sha256 }) => sha256))));
  log.info({ revision: tree.revision, files: tree.manifest.length }, 'Revision published');
  return { revision: tree.revision, publishedAt };
}

async function load(parts: PublisherParts, revision: string): Promise<Tree> {
  const record = await parts.store.revisions.get(revision);
  if (record === null) {
    const message = `Cannot use the revision "${revision}": it is not known (any more)`;
    throw new ConductorError('REVISION_UNKNOWN', message);
  }
  const { manifest } = record;
  await restore(
    parts,
    manifest.map(({ sha256 }) => sha256),
  );
  // A file that is missing here is not one that the tree never had: nothing is compiled without it.
  return treeFromBlobs(revision, manifest, (sha256) => {
    const bytes = parts.blobs.read(sha256);
    if (bytes !== null) return bytes;
    const message = `Cannot use the revision "${revision}": its blob "${sha256}" is damaged, and the tree has another by now`;
    throw new ConductorError('STATE_DIRECTORY_INVALID', message);
  });
}

async function restore(
  { directory, blobs, log }: PublisherParts,
  wanted: readonly string[],
): Promise<void> {
  const missing = new Set(wanted.filter((sha256) => blobs.read(sha256) === null));
  if (missing.size === 0) return;
  const tree = await readDirectory(directory);
  for (const { path, sha256 } of tree.manifest) {
    const bytes = missing.has(sha256) ? tree.read(path) : null;
    if (bytes === null) continue;
    blobs.write(sha256, bytes);
    log.warn({ sha256, path }, 'Blob taken from the tree again');
  }
}

/** Keeps the trees that were used last. */
function remember(trees: Map<string, Tree>, tree: Tree): void {
  trees.delete(tree.revision);
  trees.set(tree.revision, tree);
  const [oldest] = trees.keys();
  if (trees.size > TREES_IN_MEMORY && oldest !== undefined) trees.delete(oldest);
}
