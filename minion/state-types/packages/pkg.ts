import type { Change, Value } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { aptGet, areListsOld, refreshLists } from './lib/apt.ts';
import { candidates, packagesChanged, readPackages, readProvided } from '../lib/packages.ts';
import type { Packages } from '../lib/packages.ts';
import { fits } from './lib/versions.ts';
import { pkgInstalledSchema, pkgRemovedSchema, wishesOf } from './pkg-schema.ts';
import type { InstalledArgs, RemovedArgs } from './pkg-schema.ts';

/** The version of each package that is installed; with `hold`, also which of them are held. */
export type PackageSet = Readonly<Record<string, Value>>;
type Versions = Readonly<Record<string, string>>;

/** Stands for the version of a package of which no list is known yet. */
const UNKNOWN = 'the newest';

async function readSet(args: InstalledArgs, host: HostView): Promise<PackageSet | null> {
  const versions = await readVersions(args, host);
  const names = Object.keys(versions).toSorted();
  if (names.length === 0) return null;
  const { installed } = await readPackages(host);
  return { ...versions, hold: names.filter((name) => installed.get(name)?.isHeld) };
}

/** Only of those packages of the declaration that are installed. */
async function readVersions(args: InstalledArgs, host: HostView): Promise<Versions> {
  const packages = await readPackages(host);
  const names = [...wishesOf(args).keys()];
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

async function wantSet(args: InstalledArgs, host: HostView): Promise<PackageSet | null> {
  const have = await readVersions(args, host);
  const all = [...wishesOf(args)];
  const wishes = args.only_upgrade ? all.filter(([name]) => name in have) : all;
  if (wishes.length === 0) return null;
  const asks = wishes.filter(([name, wish]) => !(name in have) || wish === 'latest');
  const names = wishes.map(([name]) => name);
  const known = await candidates(
    asks.length === 0 && (await allFit(wishes, have, host)) ? [] : names,
    host,
  );
  const versions: Record<string, string> = {};
  for (const [name, wish] of wishes) {
    versions[name] = await wantedVersion(have[name], wish, known.get(name) ?? [], host);
  }
  const held = args.hold === true ? names.toSorted() : [];
  return { ...versions, ...(args.hold === undefined ? {} : { hold: held }) };
}

async function allFit(
  wishes: readonly (readonly [string, string | null])[],
  have: Versions,
  host: HostView,
): Promise<boolean> {
  for (const [name, wish] of wishes) {
    if (wish !== null && !(await fits(have[name] ?? '', wish, host))) return false;
  }
  return true;
}

/** The installed version where it will do; otherwise the first that is to be had and will do. */
async function wantedVersion(
  have: string | undefined,
  wish: string | null,
  known: readonly string[],
  host: HostView,
): Promise<string> {
  const newest = known[0] ?? UNKNOWN;
  if (wish === 'latest') return known[0] ?? have ?? UNKNOWN;
  if (wish === null) return have ?? newest;
  const versions = have === undefined ? known : [have, ...known];
  for (const version of versions) {
    if (await fits(version, wish, host)) return version;
  }
  return wish;
}

async function install(change: Change<PackageSet>, args: InstalledArgs, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  const { hold, ...versions } = change.to;
  const names = Object.keys(versions);
  if (names.length > 0) {
    const warnings = await refresh(versions, args, host);
    const words = await wordsOf(names, args, { warnings }, host);
    await aptGet(['install', ...flagsOf(args), '--', ...words], host);
  }
  if (hold !== undefined) await setHolds(args, host);
}

/** Fetches the package lists if that is asked for, or if what is wanted is not in them. */
async function refresh(
  wanted: Partial<PackageSet>,
  args: InstalledArgs,
  host: Host,
): Promise<string> {
  if (args.refresh === false) return '';
  const { cache_valid_time: mostSeconds } = args;
  const limit = mostSeconds === undefined ? {} : { mostSeconds };
  const known = await candidates(Object.keys(wanted), host, {});
  const isMissing = Object.entries(wanted).some(
    ([name, version]) => !(known.get(name) ?? []).some((one) => one === version),
  );
  const isNeeded = args.refresh === true || isMissing || (await areListsOld(limit, host));
  return isNeeded ? (await refreshLists(host)).warnings : '';
}

function flagsOf(args: InstalledArgs): string[] {
  return [
    args.install_recommends ? '--install-recommends' : '--no-install-recommends',
    ...(args.fromrepo === undefined ? [] : [`--target-release=${args.fromrepo}`]),
    ...(args.skip_verify ? ['--allow-unauthenticated'] : []),
    ...(args.update_holds ? ['--allow-change-held-packages'] : []),
    ...([...wishesOf(args).values()].some((wish) => wish !== null && wish !== 'latest')
      ? ['--allow-downgrades']
      : []),
  ];
}

/** What apt-get is told of each package: `nginx`, or `nginx=1.22.1-9` where a version is wished for. */
async function wordsOf(
  names: readonly string[],
  args: InstalledArgs,
  { warnings }: { readonly warnings: string },
  host: Host,
): Promise<string[]> {
  const known = await candidates(names, host, {});
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length > 0) throw unknownPackages(unknown, warnings);
  const words: string[] = [];
  for (const [name, versions] of known) {
    const wish = wishesOf(args).get(name) ?? null;
    const version = await wantedVersion(undefined, wish, versions, host);
    const isFree = wish === null || wish === 'latest';
    if (!isFree && !versions.includes(version)) throw unknownVersion(name, wish, versions);
    words.push(isFree ? name : `${name}=${version}`);
  }
  return words;
}

function unknownPackages(names: readonly string[], warnings: string): ConductorError {
  const them = names.length === 1 ? 'it' : 'them';
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${names.join('", "')}": no package source of this host has ${them}`,
    warnings === '' ? {} : { output: warnings },
  );
}

function unknownVersion(name: string, wish: string, versions: readonly string[]): ConductorError {
  const had = versions.join(', ');
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${name}" in version "${wish}": the package sources of this host have ${had}`,
  );
}

async function setHolds(args: InstalledArgs, host: Host): Promise<void> {
  const names = [...wishesOf(args).keys()];
  await host.run(['apt-mark', args.hold === true ? 'hold' : 'unhold', ...names]);
  packagesChanged(host);
}

async function readPresent(args: RemovedArgs, host: HostView): Promise<PackageSet | null> {
  const { installed, partial } = await readPackages(host);
  const present = [...wishesOf(args).keys()].flatMap((name) => {
    const rest = partial.get(name);
    const isLeft = rest !== undefined && (args.purge || !rest.isConfigurationOnly);
    const version = installed.get(name)?.version ?? (isLeft ? rest.version : undefined);
    return version === undefined ? [] : [[name, version] as const];
  });
  return present.length === 0 ? null : Object.fromEntries(present);
}

export const pkgInstalled = defineState({
  name: 'pkg.installed',
  schema: pkgInstalledSchema,
  example: `web packages:
  pkg.installed:
    pkgs:
      - nginx
      - postgresql: ">=15"
    install_recommends: false
`,
  provides: (args: InstalledArgs) => [...wishesOf(args).keys()].map((name) => `package:${name}`),
  read: readSet,
  want: wantSet,
  apply: install,
});

export const pkgRemoved = defineState({
  name: 'pkg.removed',
  schema: pkgRemovedSchema,
  example: `apache2:
  pkg.removed:
    purge: true
`,
  read: readPresent,
  want: () => null,
  async apply(change: Change<PackageSet>, { purge }: RemovedArgs, host: Host) {
    if (change.action !== 'remove') return;
    await aptGet([purge ? 'purge' : 'remove', '--', ...Object.keys(change.from)], host);
  },
});
