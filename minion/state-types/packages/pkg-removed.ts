import type { Change } from '../../../shared/change.ts';
import type { Settled } from '../../../shared/surroundings.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { readPackages } from '../lib/packages.ts';
import type { Packages } from '../lib/packages.ts';
import { gone } from '../lib/settled.ts';
import { aptGet } from './lib/apt.ts';
import { foresee, refuse } from './lib/foresight.ts';
import type { PackageSet } from './lib/package-set.ts';
import { fits } from './lib/versions.ts';
import { pkgPurgedSchema, pkgRemovedSchema, wishesOf } from './pkg-schema.ts';
import type { RemovedArgs } from './pkg-schema.ts';

type PurgedArgs = Omit<RemovedArgs, 'purge'>;

/** What of the packages is there that should not be, with all that goes along; `null` if nothing is. */
async function read(args: RemovedArgs, host: HostView): Promise<PackageSet | null> {
  const present = await readPresent(args, host);
  const names = Object.keys(present);
  if (names.length === 0) return null;
  const { going } = await foresee(wordsOf(names, args), host);
  const others = Object.entries(going).filter(
    ([name]) => !names.some((one) => one === name || one.startsWith(`${name}:`)),
  );
  return { ...present, ...Object.fromEntries(others) };
}

async function readPresent(args: RemovedArgs, host: HostView): Promise<PackageSet> {
  const packages = await readPackages(host);
  const present: [string, string][] = [];
  for (const [name, wish] of wishesOf(args)) {
    const version = versionOf(name, packages, args);
    if (version === null) continue;
    if (wish === null || (await fits(version, wish, host))) present.push([name, version]);
  }
  return Object.fromEntries(present);
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

function wordsOf(names: readonly string[], { purge }: { readonly purge: boolean }): string[] {
  return [purge ? 'purge' : 'remove', '--', ...names];
}

/** Refuses what apt would not do: what is held or essential stays, and so does what it would take along. */
async function refuses(args: RemovedArgs, host: HostView): Promise<void> {
  const names = Object.keys(await readPresent(args, host));
  refuse('remove', names, await foresee(wordsOf(names, args), host));
}

async function remove(change: Change<PackageSet>, args: RemovedArgs, host: Host) {
  if (change.action !== 'remove') return;
  await aptGet(wordsOf(Object.keys(change.from), args), host);
}

function takes(args: PurgedArgs): string[] {
  return [...wishesOf(args).keys()].map((name) => `package:${name}`);
}

/** Another version of them may stay. */
function settles(args: PurgedArgs): Settled {
  const whole = [...wishesOf(args)].filter(([, version]) => version === null);
  return gone(whole.map(([name]) => `package:${name}`));
}

export const pkgRemoved = defineState<RemovedArgs, PackageSet>({
  name: 'pkg.removed',
  schema: pkgRemovedSchema,
  example: `apache2:
  pkg.removed:
    purge: true
`,
  takes,
  settles,
  read,
  want: () => null,
  refuses: (_change, args, host) => refuses(args, host),
  apply: remove,
});

export const pkgPurged = defineState<PurgedArgs, PackageSet>({
  name: 'pkg.purged',
  schema: pkgPurgedSchema,
  example: `no other web server:
  pkg.purged:
    pkgs: [apache2, lighttpd]
`,
  takes,
  settles,
  read: (args, host) => read({ ...args, purge: true }, host),
  want: () => null,
  refuses: (_change, args, host) => refuses({ ...args, purge: true }, host),
  apply: (change, args, host) => remove(change, { ...args, purge: true }, host),
});
