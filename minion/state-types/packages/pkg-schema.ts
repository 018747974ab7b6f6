import { z } from 'zod';
import { withoutUser } from '../lib/download.ts';
import { EXPOSED, idleArgument, refusedArgument } from '../lib/fields.ts';
import type { InstallArgs } from './lib/install.ts';

export const packageName = z.string().regex(/^[a-z0-9][a-z0-9.+-]*(?::[a-z0-9-]+)?$/u, {
  error: 'expected the name of a Debian package',
});

const version = z
  .string({ error: 'expected a version in quotes: a bare 1.20 is the number 1.2' })
  .regex(/^(?:>=|<=|==|!=|>|<)?\s*[A-Za-z0-9.+~:*-]+$/u, {
    error: 'expected a version such as 1.22.1-9, 1.22* or >=1.22',
  });

const packages = z.array(z.union([packageName, z.record(packageName, version.nullable())])).min(1);

const location = z.string().regex(/^(?:\/[^\0\r\n]+|https?:\/\/\S+)$/u, {
  error:
    'expected the path of a .deb file on the host (file.managed puts one there) or an https URL',
});

const title = z.string().min(1).describe('Name of the package; only a title if `pkgs` is given');
const pkgs = packages
  .exactOptional()
  .describe('Several packages in one transaction: names, or mappings of name to version')
  .meta(EXPOSED);
/** Several packages of which only the names matter. */
export const nameList = z.array(packageName).min(1).exactOptional().meta(EXPOSED);

/** When the lists of the package sources are fetched. */
export const listFields = {
  refresh: z
    .boolean()
    .exactOptional()
    .describe('Whether the package lists are fetched first; when they are old if absent'),
  cache_valid_time: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe('Seconds after which the package lists are old; a day if absent'),
};

const installFields = {
  name: title,
  pkgs,
  ...listFields,
  update_holds: z
    .boolean()
    .default(false)
    .describe('Whether packages that are held may be changed here'),
  install_recommends: z
    .boolean()
    .default(true)
    .describe('Whether recommended packages are installed too'),
  only_upgrade: z
    .boolean()
    .default(false)
    .describe('Whether packages that are not installed stay so'),
  fromrepo: z
    .string()
    .regex(/^[\w./~-]+$/u)
    .exactOptional()
    .describe('Release to take them from, such as bookworm-backports')
    .meta(EXPOSED),
  skip_verify: z
    .boolean()
    .default(false)
    .describe('Whether packages without a valid signature are installed'),
  skip_suggestions: idleArgument(
    'a package that is not found is told, and apt asked for nothing else',
  ),
  normalize: idleArgument('names are those of Debian'),
};

const WRONG_NAME = { error: 'expected the name of a Debian package', path: ['name'] };

export const pkgInstalledSchema = z
  .strictObject({
    ...installFields,
    version: version
      .exactOptional()
      .describe('Version: 1.22.1-9, 1.22*, >=1.22 or `latest`; any that is installed if absent')
      .meta(EXPOSED),
    allow_updates: z
      .boolean()
      .default(false)
      .describe('Whether a version newer than the one named, from other updates, will do as well'),
    hold: z
      .boolean()
      .exactOptional()
      .describe('Whether the packages are kept from being upgraded by others'),
    pkg_verify: refusedArgument('files of packages are not compared with what they were'),
    sources: z
      .array(z.record(packageName, location))
      .min(1)
      .exactOptional()
      .describe('Packages from .deb files: mappings of name to a path on the host or a URL'),
  })
  .refine(named, WRONG_NAME)
  .refine(({ pkgs: several, version: only }) => several === undefined || only === undefined, {
    error: 'with `pkgs` each package has a version of its own: `- nginx: 1.22*`',
    path: ['version'],
  })
  .refine(({ sources, version: only }) => sources === undefined || only === undefined, {
    error: 'the files in `sources` tell their versions',
    path: ['version'],
  })
  .refine(({ sources, skip_verify: skips }) => skips || !urlsOf(sources).some(isPlain), {
    error: 'nobody can tell what plain http brings: https, or skip_verify: true',
    path: ['sources'],
  })
  .describe(
    'Debian packages that are installed. All that are missing or of another version are installed in one ' +
      'transaction; nothing is ever asked, configuration files that were changed on the host stay, another ' +
      'apt is waited for, and an interrupted dpkg is mended first. A package from a URL is installed where it is missing.',
  );

export const pkgLatestSchema = z
  .strictObject(installFields)
  .refine(named, WRONG_NAME)
  .refine(({ pkgs: several = [] }) => several.every((one) => typeof one === 'string'), {
    error: 'pkg.latest takes the newest version; pkg.installed takes a version that is named',
    path: ['pkgs'],
  })
  .describe(
    'Debian packages that are installed in the newest version that the package sources of the host have. What is newest ' +
      'is known from lists that are not old, so old lists are a difference by themselves: they are fetched, and then ' +
      'all that turns out to be newer is installed in one transaction.',
  );

const removedFields = {
  name: title,
  pkgs,
  version: version
    .exactOptional()
    .describe('Only this version is removed; any that is installed if absent')
    .meta(EXPOSED),
};

export const pkgRemovedSchema = z
  .strictObject({
    ...removedFields,
    purge: z
      .boolean()
      .default(false)
      .describe('Whether their configuration files and data go as well'),
  })
  .refine(named, WRONG_NAME)
  .describe(
    'Debian packages that are not installed. Configuration files stay unless `purge` is true.',
  );

export const pkgPurgedSchema = z
  .strictObject(removedFields)
  .refine(named, WRONG_NAME)
  .describe(
    'Debian packages that are not installed, and of which no configuration file is left either.',
  );

function named(args: { name: string; pkgs?: unknown; sources?: unknown }): boolean {
  if (args.pkgs !== undefined || args.sources !== undefined) return true;
  return packageName.safeParse(args.name).success;
}

function urlsOf(sources: readonly Readonly<Record<string, string>>[] = []): string[] {
  return sources.flatMap((one) => Object.values(one)).filter((from) => !from.startsWith('/'));
}

function isPlain(url: string): boolean {
  return withoutUser(url).startsWith('http:');
}

export type InstalledArgs = z.infer<typeof pkgInstalledSchema>;
export type LatestArgs = z.infer<typeof pkgLatestSchema>;
export type RemovedArgs = z.infer<typeof pkgRemovedSchema>;

type PackageArgs = {
  name: string;
  version?: string;
  pkgs?: z.infer<typeof packages>;
  sources?: readonly Readonly<Record<string, string>>[];
};

/** The packages of a declaration with the version that is wished for; `null` is any. */
export function wishesOf({
  name,
  version,
  pkgs,
  sources,
}: PackageArgs): Map<string, string | null> {
  if (pkgs === undefined) return new Map(sources === undefined ? [[name, version ?? null]] : []);
  const wishes = pkgs.map((one) => (typeof one === 'string' ? { [one]: null } : one));
  return new Map(wishes.flatMap((one) => Object.entries<string | null>(one)));
}

/** What the arguments of either type come down to. */
export function installArgsOf(args: InstalledArgs | LatestArgs, isLatest: boolean): InstallArgs {
  const wishes = wishesOf(args);
  const { sources = [], hold = null, allow_updates: allowUpdates = false } = onlyInstalled(args);
  return {
    wishes: isLatest ? new Map([...wishes.keys()].map((name) => [name, 'latest'])) : wishes,
    sources: new Map(sources.flatMap((one) => Object.entries(one))),
    hold,
    allowUpdates,
    onlyUpgrade: args.only_upgrade,
    refresh: args.refresh ?? null,
    listsLast: args.cache_valid_time ?? null,
    fromRepo: args.fromrepo ?? null,
    installRecommends: args.install_recommends,
    skipVerify: args.skip_verify,
    updateHolds: args.update_holds,
  };
}

function onlyInstalled(
  args: InstalledArgs | LatestArgs,
): Partial<Pick<InstalledArgs, 'sources' | 'hold' | 'allow_updates'>> {
  return 'allow_updates' in args ? args : {};
}
