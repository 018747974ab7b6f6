import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Host, HostView } from '../host/host.ts';
import { messageOf } from '../../shared/errors.ts';
import { keptBytes } from '../../shared/kept-json.ts';

export const keptFileSchema = z.strictObject({
  path: z.string(),
  /** `null` if there was none. */
  content: keptBytes.nullable(),
  mode: z.string(),
  user: z.string(),
  group: z.string(),
  /** Of one that was not there: neither was its directory. */
  isInNew: z.literal(true).optional(),
  /** What stood there once the state that changed it was done, as `looksAt` says it; absent as long as it is not. */
  left: z.string().optional(),
});

/** A file as it was. */
export type KeptFile = Readonly<z.infer<typeof keptFileSchema>>;

/** What is larger is no configuration. */
const MOST_BYTES = 4 * 1024 * 1024;
const OWNED = { mode: '0644', user: 'root', group: 'root' } as const;

/** Those files of these paths that can be put back. */
export async function filesAt(
  paths: readonly string[],
  host: HostView,
): Promise<readonly KeptFile[]> {
  const files = await Promise.all(paths.map(async (path) => fileAt(path, host)));
  return files.filter((file) => file !== null);
}

/** `null` if something else than a file is there, which cannot be put back. */
async function fileAt(path: string, host: HostView): Promise<KeptFile | null> {
  const status = await host.status(path);
  if (status === null) {
    const isInNew = (await host.status(posix.dirname(path))) === null;
    return { path, content: null, ...OWNED, ...(isInNew ? { isInNew } : {}) };
  }
  const isSmall = status.kind === 'file' && status.size <= MOST_BYTES;
  const content = isSmall ? await host.readFile(path) : null;
  if (content === null) return null;
  const { mode, user, group } = status;
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
  return file.content === null
    ? 'nothing'
    : createHash('sha256').update(file.content).digest('hex');
}

/** Makes them what they were. Nothing but a file is taken away. */
export async function placeFiles(files: readonly KeptFile[], host: Host): Promise<void> {
  for (const file of files) await placeFile(file, host);
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
      if (!isDeepStrictEqual(now, file)) await placeFile(file, host);
    } catch (error) {
      failed.set(file.path, messageOf(error));
    }
  }
  return failed;
}

async function placeFile(
  { path, content, mode, user, group }: KeptFile,
  host: Host,
): Promise<void> {
  if (content !== null) await host.writeFile(path, content, { mode, user, group });
  else if ((await host.status(path))?.kind === 'file') await host.remove(path);
}

/** Directories that were made for files that are gone again go too, unless something else is in them by now. */
export async function removeMadeFor(files: readonly KeptFile[], host: Host): Promise<void> {
  for (const directory of files.flatMap((file) => (file.isInNew ? [posix.dirname(file.path)] : [])))
    if ((await host.list(directory))?.length === 0) await host.remove(directory);
}
