import { posix } from 'node:path';
import { ConductorError } from '../../../../shared/errors.ts';
import { isTreeFile } from '../../../../shared/tree-file.ts';
import type { TreeFile } from '../../../../shared/tree-file.ts';
import type { HostView } from '../../../host/host.ts';
import { download, lookForDownload, withoutUser } from '../../lib/download.ts';
import { said } from '../../lib/said.ts';
import { digestOf, findDigest, parseDigest, showDigest } from './hashes.ts';
import type { Digest } from './hashes.ts';

/** Where the content of a file comes from, as its arguments say. */
export interface SourceArgs {
  readonly name: string;
  readonly source?: Source | readonly Source[];
  readonly source_hash?: TreeFile | string;
  readonly source_hash_name?: string;
  readonly skip_verify: boolean;
  readonly contents?: readonly string[];
  readonly contents_pillar?: readonly string[];
  readonly contents_newline: boolean;
}

export type Source = TreeFile | string;

/** The content a file is to have. */
export type WantedContent =
  /** Nothing is said of it. */
  | { readonly from: 'nothing' }
  | {
      readonly from: 'here';
      readonly bytes: Uint8Array;
      readonly mode?: string;
      /** The permissions of a file on the host that not everybody can read. */
      readonly guarded?: string;
    }
  /** Only its digest is known before it is downloaded. */
  | { readonly from: 'web'; readonly urls: readonly string[]; readonly digest: Digest };

/** Finds out what a file is to hold; downloads nothing whose digest is known. Throws SOURCE_MISSING. */
export async function wantedContent(args: SourceArgs, host: HostView): Promise<WantedContent> {
  const { source, contents = args.contents_pillar } = args;
  if (contents !== undefined) return { from: 'here', bytes: contentsOf(contents, args) };
  if (source === undefined) return { from: 'nothing' };
  const sources = isList(source) ? source : [source];
  for (const [index, candidate] of sources.entries()) {
    if (isUrl(candidate)) return fromWeb(args, sources.slice(index).filter(isUrl), host);
    const bytes = await bytesAt(candidate, host);
    if (bytes === null) continue;
    return { from: 'here', bytes, ...(await permissionsOf(candidate, host)) };
  }
  const paths = sources.map(String).join('", "');
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot find the source "${paths}": there is no such file`,
    { lacks: sources.flatMap((one) => (typeof one === 'string' ? [`path:${one}`] : [])) },
  );
}

async function permissionsOf(
  source: Source,
  host: HostView,
): Promise<{ readonly mode?: string; readonly guarded?: string }> {
  if (isTreeFile(source)) return said({ mode: source.mode });
  const mode = (await host.status(source))?.mode;
  const guarded = mode !== undefined && !isReadableByAll(mode) ? mode : undefined;
  return said({ mode, guarded });
}

function isReadableByAll(mode: string): boolean {
  return (Number.parseInt(mode, 8) & 0o004) !== 0;
}

async function bytesAt(source: Source, host: HostView): Promise<Uint8Array | null> {
  return isTreeFile(source) ? source.read() : host.readFile(source);
}

/** Texts that end in a newline, as those of a pillar do, need no other between them. */
export function contentsOf(
  contents: readonly string[],
  { contents_newline: newline }: Pick<SourceArgs, 'contents_newline'>,
): Uint8Array {
  const text = contents
    .map((one, at) => (at > 0 && !contents[at - 1]?.endsWith('\n') ? `\n${one}` : one))
    .join('');
  const end = newline && text !== '' && !text.endsWith('\n') ? '\n' : '';
  return Buffer.from(text + end, 'utf8');
}

function isList(source: Source | readonly Source[]): source is readonly Source[] {
  return Array.isArray(source);
}

function isUrl(source: Source): source is string {
  return typeof source === 'string' && hasScheme(source);
}

function hasScheme(text: string): boolean {
  return /^https?:\/\//u.test(text);
}

async function fromWeb(
  args: SourceArgs,
  urls: readonly string[],
  host: HostView,
): Promise<WantedContent> {
  const digest = await wantedDigest(args, urls, host);
  if (digest !== null) return { from: 'web', urls, digest };
  return { from: 'here', bytes: await downloadFirst(urls, null, host) };
}

async function wantedDigest(
  { name, source_hash: hash, source_hash_name: hashName }: SourceArgs,
  urls: readonly string[],
  host: HostView,
): Promise<Digest | null> {
  if (hash === undefined) return null;
  const literal = typeof hash === 'string' ? parseDigest(hash) : null;
  if (literal !== null) return literal;
  const text = Buffer.from(await hashFile(hash, host)).toString('utf8');
  const names = hashName === undefined ? [...urls, name].map(lastPart) : [hashName];
  const digest = findDigest(text, names);
  if (digest !== null) return digest;
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot verify "${withoutUser(urls[0] ?? name)}": its source_hash file holds no digest of "${names.join('", "')}"`,
    { lacks: typeof hash === 'string' && !hasScheme(hash) ? [`path:${hash}`] : [] },
  );
}

function lastPart(url: string): string {
  return posix.basename(url.replace(/[?#].*$/u, ''));
}

async function hashFile(hash: TreeFile | string, host: HostView): Promise<Uint8Array> {
  if (typeof hash !== 'string') return hash.read();
  if (hasScheme(hash)) return download(hash, host);
  const bytes = await host.readFile(hash);
  if (bytes !== null) return bytes;
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot find the source_hash "${hash}": there is no such file`,
    { lacks: [`path:${hash}`] },
  );
}

/** Throws what a download would throw, as far as that can be told before it. */
export async function lookForFirst(urls: readonly string[], host: HostView): Promise<void> {
  await firstOf(urls, async (url) => lookForDownload(url, host));
}

/** The bytes behind the first URL that answers, if they have the digest. */
export async function downloadFirst(
  urls: readonly string[],
  digest: Digest | null,
  host: HostView,
): Promise<Uint8Array> {
  return firstOf(urls, async (url) => {
    const bytes = await download(url, host);
    if (digest !== null) verify(bytes, digest, url);
    return bytes;
  });
}

async function firstOf<T>(
  urls: readonly string[],
  attempt: (url: string) => Promise<T>,
): Promise<T> {
  const failures: unknown[] = [];
  for (const url of urls) {
    try {
      return await attempt(url);
    } catch (error) {
      if (!(error instanceof ConductorError) || error.code !== 'SOURCE_MISSING') throw error;
      failures.push(error);
    }
  }
  throw failures[0];
}

function verify(bytes: Uint8Array, digest: Digest, url: string): void {
  const is = digestOf(bytes, digest.algorithm);
  if (is === showDigest(digest)) return;
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot use "${withoutUser(url)}": what was downloaded has ${is}, not ${showDigest(digest)}`,
    { lacks: [] },
  );
}
