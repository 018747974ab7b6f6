import type { TreeFile } from '../../../../shared/tree-file.ts';
import type { FileStatus, FoundBelow, Host, HostView, Ownership } from '../../../host/host.ts';
import { refuseKind } from '../../lib/ownership.ts';
import { said } from '../../lib/said.ts';
import type { RecurseArgs } from '../file-recurse-schema.ts';
import { ownStrays, strays } from './below.ts';
import type { Stray } from './below.ts';
import { chooser, pathsTo } from './choose.ts';
import { removeBelow, unwantedBelow } from './clean.ts';
import { backUp } from './file-safety.ts';
import { filesOf } from './recursion-files.ts';
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
  readonly files: readonly { readonly to: string; readonly file: TreeFile }[];
  readonly strays: readonly Stray[];
  readonly unwanted: readonly string[];
}

/** Looks at all that the tree has and at what is there; `null` if the directory does not exist. */
export async function survey(args: RecurseArgs, host: HostView): Promise<Survey | null> {
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
    const why = await differenceOf({ to, file, found: there.get(to) }, args, host);
    if (why === null) continue;
    files.push({ to, file });
    wrong.push({ path: to, why });
  }
  const astray = await straysIn(args, { there, directories }, host);
  const written = new Set(files.map(({ to }) => to));
  const owned = astray.filter(({ found: { path } }) => !written.has(path));
  return {
    status,
    texts: await textsOf(files, there, { args, host }),
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
  readonly found: FoundBelow | undefined;
}

/** In what a file differs; `null` if it is right. A link in its place is replaced. */
async function differenceOf(
  { to, file, found }: Compared,
  { name, replace }: RecurseArgs,
  host: HostView,
): Promise<string | null> {
  if (found === undefined) return 'missing';
  if (found.kind === 'symlink') return replace ? 'a symbolic link' : null;
  const path = `${name}/${to}`;
  if (found.kind !== 'file') refuseKind(path, found, 'a file');
  if (!replace) return null;
  const wanted = file.read();
  if (found.size !== wanted.length) return 'content';
  const bytes = await host.readFile(path);
  return bytes !== null && Buffer.compare(bytes, wanted) === 0 ? null : 'content';
}

const MOST_TEXTS = 20;

async function textsOf(
  files: Survey['files'],
  there: ReadonlyMap<string, FoundBelow>,
  { args, host }: { readonly args: RecurseArgs; readonly host: HostView },
): Promise<Survey['texts']> {
  const texts: Survey['texts'][number][] = [];
  for (const { to, file } of files) {
    const bytes = there.get(to)?.kind === 'file' ? await host.readFile(`${args.name}/${to}`) : null;
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

function modeFor(fileMode: string | undefined, { mode }: TreeFile): string | undefined {
  return fileMode === 'keep' ? mode : fileMode;
}

function unwantedIn(found: readonly FoundBelow[], args: RecurseArgs): string[] {
  const own = filesOf(args).map(({ to }) => to);
  const kept = [...own, ...(args.kept ?? [])];
  return unwantedBelow(found, { kept, isExcluded: chooser(args.exclude_pat) });
}

/** Makes of a directory what it should be. */
export async function bringAbout(args: RecurseArgs, host: Host): Promise<void> {
  const found = await survey(args, host);
  if (found === null) return;
  const { name, user, group } = args;
  const directory = said({ user, group, mode: args.dir_mode });
  for (const path of found.missingDirectories)
    await host.makeDirectory(`${name}/${path}`, directory);
  for (const { to, file } of found.files) {
    const ownership = said({ user, group, mode: modeFor(args.file_mode, file) });
    await put(`${name}/${to}`, { bytes: file.read(), ownership }, args, host);
  }
  await ownStrays(name, found.strays, host);
  await removeBelow(name, found.unwanted, host);
}

async function put(
  path: string,
  { bytes, ownership }: { readonly bytes: Uint8Array; readonly ownership: Ownership },
  args: RecurseArgs,
  host: Host,
): Promise<void> {
  const status = await host.status(path);
  if (status?.kind === 'symlink') await host.remove(path);
  else if (status !== null) await backUp(args, path, host);
  await host.writeFile(path, bytes, ownership);
}
