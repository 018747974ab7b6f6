import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import type { Host, HostView } from '../host/host.ts';
import { messageOf } from '../../shared/errors.ts';
import { keptBytes } from '../../shared/kept-json.ts';

export const keptFileSchema = z.strictObject({
  path: z.string(),
  /** `null` if there was none, or it was a symbolic link. */
  content: keptBytes.nullable(),
  /** Where a symbolic link pointed. */
  to: z.string().optional(),
  mode: z.string(),
  user: z.string(),
  group: z.string(),
  /** Of one that was not there: neither was its directory. */
  isInNew: z.literal(true).optional(),
  /** What stood there once the state that changed it was done, as `looksAt` says it; absent as long as it is not. */
  left: z.string().optional(),
});

/** A file as it was, or a symbolic link. */
export type KeptFile = Readonly<z.infer<typeof keptFileSchema>>;

const NOTHING = 'nothing';

/** What is larger is no configuration. */
const MOST_BYTES = 4 * 1024 * 1024;
const OWNED = { mode: '0644', user: 'root', group: 'root' } as const;

/** As many as the kernel follows. */
const MOST_LINKS = 40;

/**
 * The same place by directories alone: a symbolic link on the way to it may lead elsewhere by the time when the file is
 * put back, as it is one of the things that are put back.
 */
export async function directed(path: string, host: HostView): Promise<string> {
  const left = partsOf(path);
  let links = 0;
  let at = '/';
  while (left.length > 1) {
    const next = posix.join(at, left.shift() ?? '');
    const to = links < MOST_LINKS ? await host.readLink(next) : null;
    if (to === null) at = next;
    else {
      links += 1;
      left.unshift(...partsOf(to));
      if (posix.isAbsolute(to)) at = '/';
    }
  }
  return posix.join(at, ...left);
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** These places, and those that they lead to as symbolic links: an edit of a link is one of the file that it leads to. */
export async function followed(
  places: readonly string[],
  host: HostView,
): Promise<readonly string[]> {
  const all = new Set<string>();
  for (const place of places) {
    let at: string | null = place;
    while (at !== null && !all.has(at)) {
      all.add(at);
      const to = await host.readLink(at);
      at = to === null ? null : await directed(posix.resolve(posix.dirname(at), to), host);
    }
  }
  return [...all];
}

/** Those files and links of these paths that can be put back. */
export async function filesAt(
  paths: readonly string[],
  host: HostView,
): Promise<readonly KeptFile[]> {
  const files = await Promise.all(paths.map(async (path) => fileAt(path, host)));
  return files.filter((file) => file !== null);
}

/** `null` if something is there that cannot be put back: a directory, or what is too large. */
async function fileAt(path: string, host: HostView): Promise<KeptFile | null> {
  const status = await host.status(path);
  if (status === null) {
    const isInNew = (await host.status(posix.dirname(path))) === null;
    return { path, content: null, ...OWNED, ...(isInNew ? { isInNew } : {}) };
  }
  const { mode, user, group } = status;
  if (status.kind === 'symlink') {
    const to = await host.readLink(path);
    return to === null ? null : { path, content: null, to, mode, user, group };
  }
  const isSmall = status.kind === 'file' && status.size <= MOST_BYTES;
  const content = isSmall ? await host.readFile(path) : null;
  if (content === null) return null;
  return { path, content, mode, user, group };
}

/** How each of these paths looks now: what holds the same looks the same. */
export async function looksAt(
  paths: readonly string[],
  host: HostView,
): Promise<ReadonlyMap<string, string>> {
  const looks = await Promise.all(paths.map(async (path) => lookOf(await fileAt(path, host))));
  return new Map(paths.map((path, index) => [path, looks[index] ?? '']));
}

/** Its owner and mode may be set right by others. */
export function lookOf(file: KeptFile | null): string {
  if (file === null) return 'no file';
  if (file.to !== undefined) return `link to ${file.to}`;
  return file.content === null ? NOTHING : createHash('sha256').update(file.content).digest('hex');
}

/**
 * Makes them what they were. Nothing but a file or link is taken away, and that last: what was renamed is in one of its
 * places at least.
 */
export async function placeFiles(files: readonly KeptFile[], host: Host): Promise<void> {
  const isGone = (file: KeptFile): boolean => lookOf(file) === NOTHING;
  for (const file of files.filter((one) => !isGone(one))) await placeFile(file, host);
  for (const { path } of files.filter(isGone)) await takeAway(path, host);
}

/** Whether one is as the other, its owner and mode as well. */
export function isSame(one: KeptFile, other: KeptFile): boolean {
  const attributes = ({ mode, user, group }: KeptFile): string => [mode, user, group].join(' ');
  return lookOf(one) === lookOf(other) && attributes(one) === attributes(other);
}

/** The same, as far as it can be done: gives what is not as it was, and why. */
export async function restoreFiles(
  files: readonly KeptFile[],
  host: Host,
): Promise<ReadonlyMap<string, string>> {
  const failed = new Map<string, string>();
  for (const file of files) {
    try {
      const [now] = await filesAt([file.path], host);
      if (now === undefined || !isSame(now, file)) await placeFiles([file], host);
    } catch (error) {
      failed.set(file.path, messageOf(error));
    }
  }
  return failed;
}

/** In one step, whatever stands there: another kind than is to be there is replaced by what is written beside it. */
async function placeFile(
  { path, content, to = '', mode, user, group }: KeptFile,
  host: Host,
): Promise<void> {
  const status = await host.status(path);
  const isOfKind = status?.kind === (content === null ? 'symlink' : 'file') && status.links <= 1;
  const at = status === null || isOfKind ? path : beside(path);
  if (content === null) await host.link(at, to, { user, group });
  else await host.writeFile(at, content, { mode, user, group });
  if (at !== path) await host.rename(at, path);
}

/** Programs that read a directory of configuration files pass it over. */
function beside(path: string): string {
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return posix.join(posix.dirname(path), `.${name}.conductor-old`);
}

async function takeAway(path: string, host: Host): Promise<void> {
  const kind = (await host.status(path))?.kind;
  if (kind === 'file' || kind === 'symlink') await host.remove(path);
}

/** Directories that were made for files that are gone again go too, unless something else is in them by now. */
export async function removeMadeFor(files: readonly KeptFile[], host: Host): Promise<void> {
  for (const directory of files.flatMap((file) => (file.isInNew ? [posix.dirname(file.path)] : [])))
    if ((await host.list(directory))?.length === 0) await host.remove(directory);
}
