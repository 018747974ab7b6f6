import type { TreeFile } from '../../../../shared/tree-file.ts';
import type { FileStatus, FoundBelow, HostView } from '../../../host/host.ts';
import { refuseKind } from '../../lib/ownership.ts';
import { said } from '../../lib/said.ts';
import type { RecurseArgs } from '../file-recurse-schema.ts';
import { strays } from './below.ts';
import type { Stray } from './below.ts';
import { chooser, pathsTo } from './choose.ts';
import { unwantedBelow } from './clean.ts';
import { sha256Of } from './hashes.ts';
import { filesOf, modeFor } from './recursion-files.ts';
import { asText } from './text.ts';

/** One thing that is not as it should be. */
interface Wrong {
  readonly path: string;
  readonly why: string;
}

/** How a directory of the host compares with one of the tree. */
export interface Survey {
  /** The texts of files whose content differs, as they are and as they should be. */
  readonly texts: readonly {
    readonly to: string;
    readonly from: string;
    readonly wanted: string;
  }[];
  readonly status: FileStatus;
  /** How many files are as they should be. */
  readonly right: number;
  readonly wrong: readonly Wrong[];
  readonly missingDirectories: readonly string[];
  readonly files: readonly Compared[];
  readonly strays: readonly Stray[];
  readonly unwanted: readonly string[];
}

const underWay = new WeakMap<RecurseArgs, Promise<Survey | null>>();

/**
 * Looks at all that the tree has and at what is there; `null` if the directory does not exist. Who
 * asks while somebody else looks gets the same answer: `read` and `want` are asked at once.
 */
export async function survey(args: RecurseArgs, host: HostView): Promise<Survey | null> {
  const surveying = underWay.get(args) ?? look(args, host).finally(() => underWay.delete(args));
  underWay.set(args, surveying);
  return surveying;
}

/** The same, anew. */
export async function look(args: RecurseArgs, host: HostView): Promise<Survey | null> {
  const status = await host.status(args.name);
  if (status === null) return null;
  if (status.kind !== 'directory') refuseKind(args.name, status, 'a directory');
  const all = filesOf(args);
  const directories = [...new Set(all.flatMap(({ to }) => pathsTo(to).slice(1)))].toSorted();
  const found = await foundIn(args, [...directories, ...all.map(({ to }) => to)], host);
  const there = new Map(found.map((one) => [one.path, one]));
  const missingDirectories = directories.filter(
    (path) => !isDirectory(there.get(path), path, args),
  );
  const files: Survey['files'][number][] = [];
  const wrong: Wrong[] = missingDirectories.map((path) => ({ path, why: 'missing' }));
  for (const { to, file } of all) {
    const compared = { to, file, now: there.get(to) };
    const why = await differenceOf(compared, args, host);
    if (why === null) continue;
    files.push(compared);
    wrong.push({ path: to, why });
  }
  const astray = await straysIn(args, { there, directories }, host);
  const written = new Set(files.map(({ to }) => to));
  const owned = astray.filter(({ found: { path } }) => !written.has(path));
  return {
    status,
    texts: await textsOf(files, args, host),
    right: all.length - files.length,
    wrong: [...wrong, ...owned.map((one) => ({ path: one.found.path, why: ownersWords(one) }))],
    missingDirectories,
    files,
    strays: owned,
    unwanted: args.clean ? unwantedIn(found, args) : [],
  };
}

/** Beside what the tree has there may be very much more, which only matters to `clean`. */
async function foundIn(
  { name, clean }: RecurseArgs,
  paths: readonly string[],
  host: HostView,
): Promise<readonly FoundBelow[]> {
  if (clean) return (await host.walk(name)) ?? [];
  const found: FoundBelow[] = [];
  for (const path of paths) {
    const status = await host.status(`${name}/${path}`);
    if (status !== null) found.push({ ...status, path });
  }
  return found;
}

function ownersWords({ found: { user, group, mode } }: Stray): string {
  return `${user}:${group} ${mode}`;
}

function isDirectory(found: FoundBelow | undefined, path: string, { name }: RecurseArgs): boolean {
  if (found === undefined) return false;
  if (found.kind !== 'directory') refuseKind(`${name}/${path}`, found, 'a directory');
  return true;
}

interface Compared {
  readonly to: string;
  readonly file: TreeFile;
  /** What stands there. */
  readonly now: FoundBelow | undefined;
}

/** In what a file differs; `null` if it is right. A link in its place is replaced. */
async function differenceOf(
  { to, file, now }: Compared,
  { name, replace }: RecurseArgs,
  host: HostView,
): Promise<string | null> {
  if (now === undefined) return 'missing';
  if (now.kind === 'symlink') return replace ? 'a symbolic link' : null;
  const path = `${name}/${to}`;
  if (now.kind !== 'file') refuseKind(path, now, 'a file');
  if (!replace) return null;
  const bytes = await host.readFile(path);
  return bytes !== null && sha256Of(bytes) === file.sha256 ? null : 'content';
}

const MOST_TEXTS = 20;

async function textsOf(
  files: Survey['files'],
  { name }: RecurseArgs,
  host: HostView,
): Promise<Survey['texts']> {
  const texts: Survey['texts'][number][] = [];
  for (const { to, file, now } of files) {
    const bytes = now?.kind === 'file' ? await host.readFile(`${name}/${to}`) : null;
    const from = bytes === null ? null : asText(bytes);
    const wanted = from === null ? null : asText(file.read());
    if (from !== null && wanted !== null) texts.push({ to, from, wanted });
    if (texts.length === MOST_TEXTS) break;
  }
  return texts;
}

interface Below {
  readonly there: ReadonlyMap<string, FoundBelow>;
  readonly directories: readonly string[];
}

async function straysIn(
  args: RecurseArgs,
  { there, directories }: Below,
  host: HostView,
): Promise<readonly Stray[]> {
  const { dir_mode: dirMode, file_mode: fileMode } = args;
  const owners = said({ user: args.user, group: args.group, dirMode });
  const all: Stray[] = [];
  const byMode = new Map<string | undefined, FoundBelow[]>();
  const ours = directories.map((path) => ({ path, mode: undefined }));
  const files = filesOf(args).map(({ to, file }) => ({ path: to, mode: modeFor(fileMode, file) }));
  for (const { path, mode } of [...ours, ...files]) {
    const found = there.get(path);
    if (found === undefined || found.kind === 'symlink') continue;
    const group = byMode.get(mode) ?? [];
    group.push(found);
    byMode.set(mode, group);
  }
  for (const [mode, found] of byMode) {
    all.push(...(await strays(found, said({ ...owners, fileMode: mode }), host)));
  }
  return all;
}

function unwantedIn(found: readonly FoundBelow[], args: RecurseArgs): string[] {
  const own = filesOf(args).map(({ to }) => to);
  const kept = [...own, ...(args.kept ?? [])];
  return unwantedBelow(found, { kept, isExcluded: chooser(args.exclude_pat) });
}
