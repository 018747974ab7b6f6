import { ConductorError } from '../../../../shared/errors.ts';
import type { Change } from '../../../../shared/change.ts';
import type { Host, HostView } from '../../../host/host.ts';
import { candidates, packagesChanged } from '../../lib/packages.ts';
import { aptGet, areListsOld, refreshLists } from './apt.ts';
import { withFiles } from './deb-files.ts';
import { listAge, needsFreshLists, wantSet, wantedVersion } from './package-set.ts';
import type { PackageSet, SetArgs } from './package-set.ts';

/** What `apt-get install` is told besides the packages. */
export interface InstallArgs extends SetArgs {
  readonly installRecommends: boolean;
  readonly skipVerify: boolean;
  readonly updateHolds: boolean;
}

/** Those that do not come from a file. */
export function namesInLists(
  names: readonly string[],
  { sources }: InstallArgs,
): readonly string[] {
  return names.filter((name) => !sources.has(name));
}

/** What is to be installed, and in which versions: without what is to go. */
export function versionsIn({ held, lists, ...versions }: Partial<PackageSet>): Partial<PackageSet> {
  return Object.fromEntries(
    Object.entries(versions).filter(([, version]) => typeof version === 'string'),
  );
}

/** Brings all packages that differ to what is wished for, in one transaction. */
export async function install(
  change: Change<PackageSet>,
  args: InstallArgs,
  host: Host,
): Promise<void> {
  if (change.action === 'remove') return;
  const { held, lists } = change.to;
  const versions = versionsIn(change.to);
  const warnings = await refresh(versions, args, host);
  // Newer lists may know more that is to be done than the old ones did.
  const differ = lists === undefined ? versions : await stillWanted(args, host);
  const names = Object.keys(differ);
  if (names.length > 0) await transact(names, args, warnings, host);
  const mayBeLost = args.hold === true && names.length > 0;
  if (held !== undefined || mayBeLost) await setHolds(args, host);
}

async function stillWanted(args: InstallArgs, host: Host): Promise<Partial<PackageSet>> {
  return versionsIn((await wantSet(args, host)) ?? {});
}

async function transact(
  names: readonly string[],
  args: InstallArgs,
  warnings: string,
  host: Host,
): Promise<void> {
  const words = await wordsOf(namesInLists(names, args), args, { warnings }, host);
  const sources = new Map([...args.sources].filter(([name]) => names.includes(name)));
  await withFiles(sources, host, async (paths) => {
    if (words.length + paths.length === 0) return;
    await aptGet(['install', ...flagsOf(args), '--', ...words, ...paths], host);
  });
}

/**
 * Fetches the package lists if that is asked for, or if what is wanted is not in them. Where only
 * some sources answer the others will do, unless the newest version is wished for.
 */
async function refresh(
  wanted: Partial<PackageSet>,
  args: InstallArgs,
  host: Host,
): Promise<string> {
  if (args.refresh === false) return '';
  if (!(await mustRefresh(wanted, args, host))) return '';
  const { warnings, error } = await refreshLists(host);
  if (error !== null && needsFreshLists(args)) throw error;
  return warnings;
}

export async function mustRefresh(
  wanted: Partial<PackageSet>,
  args: InstallArgs,
  host: HostView,
): Promise<boolean> {
  if (needsFreshLists(args)) return areListsOld(listAge(args), host);
  const entries = Object.entries(wanted).filter(([name]) => !args.sources.has(name));
  if (entries.length === 0 && args.sources.size === 0) return false;
  const known = await candidates(
    entries.map(([name]) => name),
    host,
    { release: args.fromRepo },
  );
  const isMissing = entries.some(
    ([name, version]) => !(known.get(name) ?? []).some((one) => one === version),
  );
  const limit = args.listsLast === null ? {} : { mostSeconds: args.listsLast };
  return args.refresh === true || isMissing || (await areListsOld(limit, host));
}

export function flagsOf(args: InstallArgs): string[] {
  const wishes = [...args.wishes.values()];
  const mayGoBack =
    args.sources.size > 0 || wishes.some((wish) => wish !== null && wish !== 'latest');
  return [
    args.installRecommends ? '--install-recommends' : '--no-install-recommends',
    ...(args.fromRepo === null ? [] : [`--target-release=${args.fromRepo}`]),
    ...(args.skipVerify ? ['--allow-unauthenticated'] : []),
    ...(args.updateHolds ? ['--allow-change-held-packages'] : []),
    ...(mayGoBack ? ['--allow-downgrades'] : []),
    // One that was torn as it came from a file counts as installed.
    ...(args.sources.size > 0 ? ['--reinstall'] : []),
  ];
}

/** What apt-get is told of each package: `nginx`, or `nginx=1.22.1-9` where a version is wished for. */
export async function wordsOf(
  names: readonly string[],
  args: InstallArgs,
  { warnings }: { readonly warnings: string },
  host: HostView,
): Promise<string[]> {
  const known = await candidates(names, host, { release: args.fromRepo });
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw unknownPackages(unknown, warnings);
  const words: string[] = [];
  for (const [name, versions] of known) {
    const wish = args.wishes.get(name) ?? null;
    const version = await wantedVersion({ have: undefined, wish, known: versions }, args, host);
    const isFree = wish === null || wish === 'latest';
    if (!isFree && !versions.includes(version)) throw unknownVersion(name, wish, versions);
    words.push(isFree ? name : `${name}=${version}`);
  }
  return words;
}

/** Whoever changes these may bring packages. */
const SOURCES = ['path:/etc/apt'];

function unknownPackages(names: readonly string[], warnings: string): ConductorError {
  const them = names.length === 1 ? 'it' : 'them';
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${names.join('", "')}": no package source of this host has ${them}`,
    { lacks: SOURCES, ...(warnings === '' ? {} : { output: warnings }) },
  );
}

function unknownVersion(name: string, wish: string, versions: readonly string[]): ConductorError {
  const had = versions.join(', ');
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${name}" in version "${wish}": the package sources of this host have ${had}`,
    { lacks: SOURCES },
  );
}

async function setHolds({ wishes, sources, hold }: InstallArgs, host: Host): Promise<void> {
  const names = [...wishes.keys(), ...sources.keys()];
  await host.run(['apt-mark', hold === true ? 'hold' : 'unhold', ...names]);
  packagesChanged(host);
}
