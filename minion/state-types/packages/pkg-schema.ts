import { z } from 'zod';

const packageName = z.string().regex(/^[a-z0-9][a-z0-9.+-]*(?::[a-z0-9-]+)?$/u, {
  error: 'expected the name of a Debian package',
});

const version = z.string().regex(/^(?:>=|<=|==|!=|>|<)?\s*[A-Za-z0-9.+~:*-]+$/u, {
  error: 'expected a version such as 1.22.1-9, 1.22* or >=1.22',
});

const packages = z.array(z.union([packageName, z.record(packageName, version.nullable())])).min(1);

const names = {
  name: z.string().min(1).describe('Name of the package; only a title if `pkgs` is given'),
  pkgs: packages
    .exactOptional()
    .describe('Several packages in one transaction: names, or mappings of name to version'),
};

export const pkgInstalledSchema = z
  .strictObject({
    ...names,
    version: version
      .exactOptional()
      .describe('Version: 1.22.1-9, 1.22*, >=1.22 or `latest`; any that is installed if absent'),
    refresh: z
      .boolean()
      .exactOptional()
      .describe('Whether the package lists are fetched first; when they are old if absent'),
    cache_valid_time: z
      .int()
      .nonnegative()
      .exactOptional()
      .describe('Seconds after which the package lists are old; a day if absent'),
    hold: z
      .boolean()
      .exactOptional()
      .describe('Whether the packages are kept from being upgraded by others'),
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
      .describe('Release to take them from, such as bookworm-backports'),
    skip_verify: z
      .boolean()
      .default(false)
      .describe('Whether packages without a valid signature are installed'),
  })
  .refine(named, { error: 'expected the name of a Debian package', path: ['name'] })
  .refine(({ pkgs, version: only }) => pkgs === undefined || only === undefined, {
    error: 'with `pkgs` each package has a version of its own: `- nginx: 1.22*`',
    path: ['version'],
  })
  .describe(
    'Debian packages that are installed. All that are missing or of another version are installed in one ' +
      'transaction; nothing is ever asked, configuration files that were changed on the host stay, another ' +
      'apt is waited for, and an interrupted dpkg is mended first.',
  );

export const pkgRemovedSchema = z
  .strictObject({
    ...names,
    purge: z
      .boolean()
      .default(false)
      .describe('Whether their configuration files and data go as well'),
  })
  .refine(named, { error: 'expected the name of a Debian package', path: ['name'] })
  .describe(
    'Debian packages that are not installed. Configuration files stay unless `purge` is true.',
  );

function named(args: { name: string; pkgs?: unknown }): boolean {
  return args.pkgs !== undefined || packageName.safeParse(args.name).success;
}

type PackageArgs = { name: string; version?: string; pkgs?: z.infer<typeof packages> };

/** The packages of a declaration with the version that is wished for; `null` is any. */
export function wishesOf({ name, version, pkgs }: PackageArgs): Map<string, string | null> {
  if (pkgs === undefined) return new Map([[name, version ?? null]]);
  const wishes = pkgs.map((one) => (typeof one === 'string' ? { [one]: null } : one));
  return new Map(wishes.flatMap((one) => Object.entries<string | null>(one)));
}

export type InstalledArgs = z.infer<typeof pkgInstalledSchema>;
export type RemovedArgs = z.infer<typeof pkgRemovedSchema>;
