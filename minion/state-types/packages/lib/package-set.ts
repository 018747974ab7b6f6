import { ConductorError } from '../../../../shared/errors.ts';
import type { Change, Value } from '../../../../shared/change.ts';
import type { HostView } from '../../../host/host.ts';
import { candidates, readPackages, readProvided } from '../../lib/packages.ts';
import type { Packages } from '../../lib/packages.ts';
import { areListsOld, hasLists } from './apt.ts';
import { versionInFile } from './deb-files.ts';
import { fits, isAtLeast } from './versions.ts';

/** What is wished for of some packages, whichever type it is declared with. */
export interface SetArgs {
  /** By name, the version that is wished for; `null` is any, `latest` the newest there is. */
  readonly wishes: ReadonlyMap<string, string | null>;
  /** By name, the file or URL that a package comes from. */
  readonly sources: ReadonlyMap<string, string>;
  readonly onlyUpgrade: boolean;
  readonly allowUpdates: boolean;
  readonly hold: boolean | null;
  readonly refresh: boolean | null;
  /** Seconds after which the package lists are old; `null` is the usual time. */
  readonly listsLast: number | null;
  /** The release to take them from; `null` is the host's own. */
  readonly fromRepo: string | null;
}

/** The version of each package that is installed; which are `held`, and how the `lists` are, where that is asked for. */
export type PackageSet = Readonly<Record<string, Value>>;
type Versions = Readonly<Record<string, string>>;

/** Stands for the version of a package of which no list is known yet. */
const UNKNOWN = 'the newest';
/** Stand behind a version that no list has: how these are, and then what that means. */
const IN_NO_LIST = ' (in no list)';
const IN_NO_OLD_LIST = ' (in no list, and these are old)';
const WITHOUT_LISTS = ' (no package lists yet)';
const MEANS: readonly (readonly [mark: string, means: string])[] = [
  [IN_NO_LIST, 'they are fetched first, though they are not old'],
  [IN_NO_OLD_LIST, 'they are old: new ones are fetched first, which may have it or not'],
];
const HOUR = 3600;

/** How the packages are; `null` if none of them is installed. */
export async function readSet(args: SetArgs, host: HostView): Promise<PackageSet | null> {
  const versions = await readVersions(args, host);
  const names = Object.keys(versions).toSorted();
  const lists = await listsNow(args, host);
  if (names.length === 0 && !args.onlyUpgrade) return null;
  const { installed } = await readPackages(host);
  return { ...versions, ...lists, held: names.filter((name) => installed.get(name)?.isHeld) };
}

/** Only of those packages of the declaration that are installed. */
async function readVersions({ wishes, sources }: SetArgs, host: HostView): Promise<Versions> {
  const packages = await readPackages(host);
  const names = [...wishes.keys(), ...sources.keys()];
  const found = await Promise.all(names.map((name) => versionOf(name, packages, host)));
  return Object.fromEntries(found.filter((entry) => entry !== null));
}

/** A name that is no package of its own counts as installed if an installed one provides it. */
async function versionOf(
  name: string,
  { installed }: Packages,
  host: HostView,
): Promise<readonly [string, string] | null> {
  const version = installed.get(name)?.version;
  if (version !== undefined) return [name, version];
  const provider = (await readProvided(host)).get(name);
  return provider === undefined ? null : [name, `provided by ${provider}`];
}

/** What is newest can only be known from lists that are not old; then that is an attribute, too. */
async function listsNow(args: SetArgs, host: HostView): Promise<{ lists?: string }> {
  if (!needsFreshLists(args)) return {};
  return { lists: (await areListsOld(listAge(args), host)) ? 'old' : 'fresh' };
}

export function needsFreshLists({ wishes, refresh }: SetArgs): boolean {
  return refresh !== false && [...wishes.values()].includes('latest');
}

/** How old the lists may be: as long as is said, an hour where a refresh is asked for, or a day. */
export function listAge({ listsLast, refresh }: Pick<SetArgs, 'listsLast' | 'refresh'>): {
  mostSeconds?: number;
} {
  if (listsLast !== null) return { mostSeconds: listsLast };
  return refresh === true ? { mostSeconds: HOUR } : {};
}

/** How the packages should be; `null` if the declaration asks for nothing. */
export async function wantSet(args: SetArgs, host: HostView): Promise<PackageSet | null> {
  const have = await readVersions(args, host);
  const all = [...args.wishes];
  const wishes = args.onlyUpgrade ? all.filter(([name]) => name in have) : all;
  const known = await candidatesFor(wishes, have, args, host);
  const wanted: Record<string, string> = {};
  for (const [name, wish] of wishes) {
    wanted[name] = await wantedVersion(
      { have: have[name], wish, known: known.get(name) ?? [] },
      args,
      host,
    );
  }
  const versions = await marked(wanted, { have, known }, args, host);
  for (const [name, source] of args.sources) {
    versions[name] = await sourceVersion(name, source, have[name], host);
  }
  const held = args.hold === true ? Object.keys(versions).toSorted() : [];
  return {
    ...versions,
    ...(args.hold === null ? {} : { held }),
    ...(needsFreshLists(args) ? { lists: 'fresh' } : {}),
  };
}

type Wishes = readonly (readonly [string, string | null])[];

/** What apt knows of them; it is not asked where all that is there will do. */
async function candidatesFor(
  wishes: Wishes,
  have: Versions,
  args: SetArgs,
  host: HostView,
): Promise<ReadonlyMap<string, readonly string[]>> {
  for (const [name, wish] of wishes) {
    const version = have[name];
    if (version !== undefined && (await suffices(version, wish, args, host))) continue;
    const names = wishes.map(([one]) => one);
    return candidates(names, host, { release: args.fromRepo });
  }
  return new Map();
}

/** Whether an installed version will do. */
async function suffices(
  version: string,
  wish: string | null,
  { allowUpdates }: SetArgs,
  host: HostView,
): Promise<boolean> {
  if (wish === null) return true;
  if (wish === 'latest') return false;
  if (await fits(version, wish, host)) return true;
  return allowUpdates && (await isAtLeast(version, wish, host));
}

/** Which versions of one package there are to choose from. */
interface VersionChoice {
  readonly have: string | undefined;
  readonly wish: string | null;
  readonly known: readonly string[];
}

/** The installed version where it will do; otherwise the first that is to be had and will do. */
export async function wantedVersion(
  { have, wish, known }: VersionChoice,
  args: SetArgs,
  host: HostView,
): Promise<string> {
  if (wish === 'latest') return known[0] ?? have ?? UNKNOWN;
  if (have !== undefined && (await suffices(have, wish, args, host))) return have;
  if (wish === null) return known[0] ?? UNKNOWN;
  for (const version of known) {
    if (await fits(version, wish, host)) return version;
  }
  return wish;
}

/** Why nobody knows before the lists are fetched whether all of it is to be had; `null` if it is. */
export function unlisted(change: Change<PackageSet>): string | null {
  if (change.action === 'remove') return null;
  const { held, lists, ...versions } = change.to;
  const found = Object.entries(versions).flatMap(([name, version]) =>
    typeof version === 'string' ? unlistedAmong(name, version) : [],
  );
  const [first] = found;
  if (first === undefined) return null;
  const { name, wish, means } = first;
  const what = wish === UNKNOWN ? `"${name}"` : `"${name}" in version "${wish}"`;
  return `no package list of this host has ${what}; ${means}`;
}

function unlistedAmong(name: string, version: string) {
  return MEANS.filter(([mark]) => version.endsWith(mark)).map(([mark, means]) => ({
    name,
    wish: version.slice(0, -mark.length),
    means,
  }));
}

/** What is to be installed and stands in no list is marked. */
async function marked(
  versions: Readonly<Record<string, string>>,
  { have, known }: { readonly have: Versions; readonly known: Known },
  args: SetArgs,
  host: HostView,
): Promise<Record<string, string>> {
  const isListed = ([name, version]: [string, string]) =>
    version === have[name] || known.get(name)?.includes(version) === true;
  const all = Object.entries(versions);
  if (all.every(isListed)) return { ...versions };
  const mark = await markFor(args, host);
  return Object.fromEntries(
    all.map((one) => (isListed(one) ? one : ([one[0], `${one[1]}${mark}`] as const))),
  );
}

/** Without any list nothing at all is known, and that is no sign of a mistake. */
async function markFor(args: SetArgs, host: HostView): Promise<string> {
  if (!(await areListsOld(listAge(args), host))) return IN_NO_LIST;
  return (await hasLists(host)) ? IN_NO_OLD_LIST : WITHOUT_LISTS;
}

type Known = ReadonlyMap<string, readonly string[]>;

/** A file on the host tells its version; what a URL has is known once it is there. */
async function sourceVersion(
  name: string,
  source: string,
  have: string | undefined,
  host: HostView,
): Promise<string> {
  if (!source.startsWith('/')) return have ?? `from ${source}`;
  if ((await host.status(source)) !== null) return versionInFile(name, source, host);
  if (have !== undefined) return have;
  throw new ConductorError(
    'SOURCE_MISSING',
    `Cannot install "${name}": there is no file "${source}"`,
    { lacks: [`path:${source}`] },
  );
}
