import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { readPackages } from '../lib/packages.ts';
import type { Packages } from '../lib/packages.ts';
import { aptGet } from './lib/apt.ts';
import type { PackageSet } from './lib/package-set.ts';
import { fits } from './lib/versions.ts';
import { pkgPurgedSchema, pkgRemovedSchema, wishesOf } from './pkg-schema.ts';
import type { RemovedArgs } from './pkg-schema.ts';

type PurgedArgs = Omit<RemovedArgs, 'purge'>;

/** What of the packages is there that should not be; `null` if nothing is. */
async function readPresent(args: RemovedArgs, host: HostView): Promise<PackageSet | null> {
  const packages = await readPackages(host);
  const present: [string, string][] = [];
  for (const [name, wish] of wishesOf(args)) {
    const version = versionOf(name, packages, args);
    if (version === null) continue;
    if (wish === null || (await fits(version, wish, host))) present.push([name, version]);
  }
  return present.length === 0 ? null : Object.fromEntries(present);
}

/** Configuration files alone count only where they are to go, too. */
function versionOf(
  name: string,
  { installed, partial }: Packages,
  { purge }: { readonly purge: boolean },
): string | null {
  const rest = partial.get(name);
  const isLeft = rest !== undefined && (purge || !rest.isConfigurationOnly);
  return installed.get(name)?.version ?? (isLeft ? rest.version : null);
}

async function remove(change: Change<PackageSet>, { purge }: RemovedArgs, host: Host) {
  if (change.action !== 'remove') return;
  await aptGet([purge ? 'purge' : 'remove', '--', ...Object.keys(change.from)], host);
}

export const pkgRemoved = defineState<RemovedArgs, PackageSet>({
  name: 'pkg.removed',
  schema: pkgRemovedSchema,
  example: `apache2:
  pkg.removed:
    purge: true
`,
  read: readPresent,
  want: () => null,
  apply: remove,
});

export const pkgPurged = defineState<PurgedArgs, PackageSet>({
  name: 'pkg.purged',
  schema: pkgPurgedSchema,
  example: `no other web server:
  pkg.purged:
    pkgs: [apache2, lighttpd]
`,
  read: (args, host) => readPresent({ ...args, purge: true }, host),
  want: () => null,
  apply: (change, args, host) => remove(change, { ...args, purge: true }, host),
});
