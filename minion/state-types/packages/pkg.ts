import type { Settled } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import { readForeseen, refuseInstall, wantForeseen } from './lib/foreseen-set.ts';
import { install } from './lib/install.ts';
import { unlisted } from './lib/package-set.ts';
import type { PackageSet } from './lib/package-set.ts';
import { there } from '../lib/settled.ts';
import { installArgsOf, pkgInstalledSchema, pkgLatestSchema } from './pkg-schema.ts';
import type { InstalledArgs, LatestArgs } from './pkg-schema.ts';

const installArgs = (args: InstalledArgs) => installArgsOf(args, false);
const latestArgs = (args: LatestArgs) => installArgsOf(args, true);

function provides(args: InstalledArgs | LatestArgs): string[] {
  const { wishes, sources } = installArgsOf(args, false);
  return [...wishes.keys(), ...sources.keys()].map((name) => `package:${name}`);
}

function settles(args: InstalledArgs | LatestArgs): Settled {
  if (args.only_upgrade) return {};
  return Object.assign({}, ...provides(args).map((name) => there(name)));
}

/** Files that packages come from, and answers to what they ask, are there before they are. */
function needs(args: InstalledArgs | LatestArgs): string[] {
  const { wishes, sources } = installArgsOf(args, false);
  const files = [...sources.values()].filter((from) => from.startsWith('/'));
  const questions = [...wishes.keys(), ...sources.keys()].map((name) => `debconf:${name}`);
  return [...files.map((path) => `path:${path}`), ...questions];
}

export const pkgInstalled = defineState<InstalledArgs, PackageSet>({
  name: 'pkg.installed',
  schema: pkgInstalledSchema,
  example: `web packages:
  pkg.installed:
    pkgs:
      - nginx
      - postgresql: ">=15"
    install_recommends: false
`,
  isRelative: true,
  reach: 'programs',
  provides,
  settles,
  needs,
  read: (args, host) => readForeseen(installArgs(args), host),
  want: (args, host) => wantForeseen(installArgs(args), host),
  uncertain: (_args, change) => unlisted(change),
  refuses: (change, args, host) => refuseInstall(change, installArgs(args), host),
  apply: (change, args, host) => install(change, installArgs(args), host),
});

export const pkgLatest = defineState<LatestArgs, PackageSet>({
  name: 'pkg.latest',
  schema: pkgLatestSchema,
  example: `certificates of the web:
  pkg.latest:
    name: ca-certificates
    cache_valid_time: 3600
`,
  reach: 'programs',
  provides,
  settles,
  needs,
  read: (args, host) => readForeseen(latestArgs(args), host),
  want: (args, host) => wantForeseen(latestArgs(args), host),
  uncertain: (_args, change) => unlisted(change),
  refuses: (change, args, host) => refuseInstall(change, latestArgs(args), host),
  apply: (change, args, host) => install(change, latestArgs(args), host),
});
