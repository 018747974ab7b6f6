import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { canonicalJson } from '../shared/canonical-json.ts';
import { ConductorError, systemCode } from '../shared/errors.ts';
import type { Manifest, ManifestEntry, Tree } from './tree.ts';

/** A tree as it was at one moment. */
export type Snapshot = Tree;

const FOLDERS = ['states', 'pillars', 'templates'] as const;
const LARGEST_FILE = 64 * 1024 * 1024;
const MOST_FILES = 100_000;
const MOST_ATTEMPTS = 5;

/** What editors and package managers leave behind. */
const LEFTOVER = /^\.|~$|\.sw[a-p]$|\.dpkg-[a-z]+$|^#.*#$/u;

/** SHA-256 (hex) of a manifest's canonical JSON. */
export function revisionId(manifest: Manifest): string {
  return sha256(canonicalJson(manifest));
}

/** A tree whose blobs are kept elsewhere by their SHA-256. */
export function treeFromBlobs(
  revision: string,
  manifest: Manifest,
  readBlob: (sha256: string) => Uint8Array | null,
): Tree {
  const entries = new Map(manifest.map((entry) => [entry.path, entry]));
  return {
    revision,
    manifest,
    read(path) {
      const entry = entries.get(path);
      return entry === undefined ? null : readBlob(entry.sha256);
    },
  };
}

/**
 * Reads a tree from disk, as one moment's state: if a file changes meanwhile, all of it is read
 * again. Throws TREE_INVALID for what cannot be part of a tree, naming each.
 */
export async function readDirectory(directory: string): Promise<Snapshot> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await listFiles(directory);
    const files = await readAll(before);
    const after = await listFiles(directory);
    if (files !== null && isSame(before, after)) return snapshotOf(before, files);
    if (attempt === MOST_ATTEMPTS) {
      const message = `Cannot read tree "${directory}": its files keep changing`;
      throw new ConductorError('TREE_INVALID', message);
    }
  }
}

interface Found {
  readonly path: string;
  readonly file: string;
  readonly stats: BigIntStats;
}

async function listFiles(directory: string): Promise<readonly Found[]> {
  const root = await rootOf(directory);
  const walk: Walk = { root, found: [], refused: [] };
  for (const folder of FOLDERS) await visit(join(root, folder), folder, walk);
  if (walk.found.length > MOST_FILES) walk.refused.push(`more than ${MOST_FILES} files`);
  if (walk.refused.length === 0) return walk.found.toSorted(byPath);
  const message = `Cannot read tree "${directory}": ${walk.refused.toSorted().join('; ')}`;
  throw new ConductorError('TREE_INVALID', message, { refused: walk.refused });
}

async function rootOf(directory: string): Promise<string> {
  const cannot = `Cannot read tree "${directory}"`;
  const root = await realpath(directory).catch((cause: unknown) => {
    const code = systemCode(cause);
    const why = code === 'ENOENT' ? 'there is no such directory' : (code ?? 'it cannot be read');
    throw new ConductorError('NOT_FOUND', `${cannot}: ${why}`, { cause });
  });
  if ((await lstat(root)).isDirectory()) return root;
  throw new ConductorError('NOT_FOUND', `${cannot}: it is not a directory`);
}

interface Walk {
  readonly root: string;
  readonly found: Found[];
  readonly refused: string[];
}

/** Follows a link only if it stays within the tree; then what it leads to counts as its own. */
async function visit(file: string, path: string, walk: Walk): Promise<void> {
  const own = await statOrNull(file);
  if (own === null) return;
  const real = own.isSymbolicLink() ? await followed(file, path, walk) : { file, stats: own };
  if (real === null) return;
  if (real.stats.isDirectory()) return visitDirectory(real.file, path, walk);
  if (!real.stats.isFile()) walk.refused.push(`"${path}" is neither a file nor a directory`);
  else if (real.stats.size > LARGEST_FILE) {
    walk.refused.push(`"${path}" is larger than ${LARGEST_FILE / 1024 / 1024} MiB`);
  } else walk.found.push({ path, file: real.file, stats: real.stats });
}

async function followed(
  file: string,
  path: string,
  { root, refused }: Walk,
): Promise<Pick<Found, 'file' | 'stats'> | null> {
  const target = await realpath(file).catch((error: unknown) => systemCode(error) ?? 'EIO');
  if (!target.startsWith('/')) {
    refused.push(`"${path}" is a link that leads nowhere`);
    return null;
  }
  const isBelow = FOLDERS.some((folder) => target.startsWith(join(root, folder) + sep));
  const stats = isBelow ? await statOrNull(target) : null;
  if (!isBelow) refused.push(`"${path}" is a link that leads out of the tree`);
  else if (stats?.isDirectory() === true) {
    refused.push(`"${path}" is a link to a directory`);
    return null;
  }
  return stats === null ? null : { file: target, stats };
}

async function statOrNull(file: string): Promise<BigIntStats | null> {
  try {
    return await lstat(file, { bigint: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function visitDirectory(file: string, path: string, walk: Walk): Promise<void> {
  for (const { name } of await entriesOf(file)) {
    const text = name.toString('utf8');
    if (LEFTOVER.test(text)) continue;
    if (!Buffer.from(text, 'utf8').equals(name) || /[\p{Cc}\\]/u.test(text)) {
      walk.refused.push(`"${path}" holds a file whose name is not plain UTF-8 text`);
    } else await visit(join(file, text), `${path}/${text}`, walk);
  }
}

async function entriesOf(file: string): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(file, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function byPath({ path: a }: { path: string }, { path: b }: { path: string }): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `null` if a file went away or changed its size while it was read. */
async function readAll(found: readonly Found[]): Promise<ReadonlyMap<string, Buffer> | null> {
  const files = new Map<string, Buffer>();
  for (const { path, file, stats } of found) {
    const bytes = await readOrNull(file);
    if (bytes === null || BigInt(bytes.length) !== stats.size) return null;
    files.set(path, bytes);
  }
  return files;
}

async function readOrNull(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

function isSame(before: readonly Found[], after: readonly Found[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ path, stats }, index) => {
      const other = after[index];
      if (other === undefined || other.path !== path) return false;
      const { ino, size, mtimeNs, ctimeNs } = other.stats;
      const isUntouched = stats.mtimeNs === mtimeNs && stats.ctimeNs === ctimeNs;
      return isUntouched && stats.ino === ino && stats.size === size;
    })
  );
}

function snapshotOf(found: readonly Found[], files: ReadonlyMap<string, Buffer>): Snapshot {
  const manifest = found.map(({ path, stats }): ManifestEntry => {
    const bytes = files.get(path) ?? Buffer.alloc(0);
    const mode = (Number(stats.mode) & 0o7777).toString(8).padStart(4, '0');
    return { path, sha256: sha256(bytes), size: bytes.length, mode };
  });
  return { revision: revisionId(manifest), manifest, read: (path) => files.get(path) ?? null };
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
