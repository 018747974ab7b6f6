import { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { aptGet, areListsOld, refreshLists } from './lib/apt.ts';
import { listAge } from './lib/package-set.ts';
import type { PackageSet } from './lib/package-set.ts';
import { readUpgrades } from './lib/upgrades.ts';
import type { UpgradeArgs } from './lib/upgrades.ts';
import { listFields, nameList } from './pkg-schema.ts';

const schema = z
  .strictObject({
    name: z.string().min(1).describe('A title'),
    pkgs: nameList.describe('Only these packages, where they are installed; all if absent'),
    dist_upgrade: z
      .boolean()
      .default(true)
      .describe('Whether packages may be added and removed where an upgrade needs it'),
    ...listFields,
  })
  .describe(
    'All packages, or those that are named, are in the newest version that the package sources of the host have; packages ' +
      'that are held stay as they are. The plan names each package with its old and new version. Old package lists ' +
      'are a difference by themselves: they are fetched, and then all that turns out to be newer is upgraded.',
  );

type Args = z.infer<typeof schema>;

function upgradeArgs({ pkgs = [], dist_upgrade: mayChangeSet }: Args): UpgradeArgs {
  return { pkgs, mayChangeSet };
}

async function areOld(args: Args, host: HostView): Promise<boolean> {
  const { refresh = null, cache_valid_time: listsLast = null } = args;
  return areListsOld(listAge({ refresh, listsLast }), host);
}

/** The packages that are to be upgraded or removed, in the version that they have. */
async function read(args: Args, host: HostView): Promise<PackageSet> {
  const upgrades = await readUpgrades(upgradeArgs(args), host);
  const old = upgrades.flatMap(({ name, from }) => (from === null ? [] : [[name, from] as const]));
  const lists =
    args.refresh === false ? {} : { lists: (await areOld(args, host)) ? 'old' : 'fresh' };
  return { ...Object.fromEntries(old), ...lists };
}

/** The same packages in the version that they are to have; `null` for what is to go. */
async function want(args: Args, host: HostView): Promise<PackageSet> {
  const upgrades = await readUpgrades(upgradeArgs(args), host);
  const versions = upgrades.map(({ name, to }) => [name, to] as const);
  return { ...Object.fromEntries(versions), ...(args.refresh === false ? {} : { lists: 'fresh' }) };
}

async function apply(_change: Change<PackageSet>, args: Args, host: Host): Promise<void> {
  if (args.refresh !== false && (await areOld(args, host))) {
    const { error } = await refreshLists(host);
    if (error !== null) throw error;
  }
  const { pkgs, mayChangeSet } = upgradeArgs(args);
  const upgrades = await readUpgrades({ pkgs, mayChangeSet }, host);
  if (upgrades.length === 0) return;
  await aptGet(
    pkgs.length > 0
      ? ['install', '--only-upgrade', '--', ...pkgs]
      : [mayChangeSet ? 'dist-upgrade' : 'upgrade'],
    host,
  );
}

export const pkgUptodate = defineState<Args, PackageSet>({
  name: 'pkg.uptodate',
  schema,
  reach: 'programs',
  example: `the whole system is up to date:
  pkg.uptodate:
    cache_valid_time: 3600
`,
  read,
  want,
  apply,
});
