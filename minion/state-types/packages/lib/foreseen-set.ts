import { ConductorError } from '../../../../shared/errors.ts';
import { diff } from '../../../../shared/change.ts';
import type { Change } from '../../../../shared/change.ts';
import type { HostView } from '../../../host/host.ts';
import { candidates, readPackages } from '../../lib/packages.ts';
import { foresee, refuse } from './foresight.ts';
import type { Foresight } from './foresight.ts';
import { flagsOf, mustRefresh, namesInLists, versionsIn, wordsOf } from './install.ts';
import type { InstallArgs } from './install.ts';
import { readSet, wantSet } from './package-set.ts';
import type { PackageSet } from './package-set.ts';

/** How the packages are, and those that would have to go for them; `null` if none of them is installed. */
export async function readForeseen(args: InstallArgs, host: HostView): Promise<PackageSet | null> {
  const have = await readSet(args, host);
  const going = await goingFor(have, args, host);
  if (Object.keys(going).length === 0) return have;
  return { ...going, ...(have ?? { held: [] }) };
}

/** How the packages should be; `null` stands for the version of what has to go. */
export async function wantForeseen(args: InstallArgs, host: HostView): Promise<PackageSet | null> {
  const want = await wantSet(args, host);
  if (want === null) return null;
  const going = await goingFor(await readSet(args, host), args, host);
  const gone = Object.keys(going).map((name) => [name, null] as const);
  return { ...want, ...Object.fromEntries(gone) };
}

async function goingFor(
  have: PackageSet | null,
  args: InstallArgs,
  host: HostView,
): Promise<Foresight['going']> {
  const change = diff(have, await wantSet(args, host));
  if (change === null || change.action === 'remove') return {};
  const foresight = await foreseeInstall(change.to, args, host);
  return withoutOwn(foresight?.going ?? {}, args);
}

/** What is wished for does not go for good: what is half installed is taken away before it comes anew. */
function withoutOwn(
  going: Foresight['going'],
  { wishes, sources }: InstallArgs,
): Foresight['going'] {
  const others = Object.entries(going).filter(([name]) => !wishes.has(name) && !sources.has(name));
  return Object.fromEntries(others);
}

/** What the transaction would do by the lists that there are; `null` if they do not have all of it. */
async function foreseeInstall(
  to: Partial<PackageSet>,
  args: InstallArgs,
  host: HostView,
): Promise<Foresight | null> {
  const names = Object.keys(versionsIn(to));
  const listed = namesInLists(names, args);
  if (names.length === 0 || listed.length < names.length) return null;
  const known = await candidates(listed, host, { release: args.fromRepo });
  const isKnown = listed.every((name) => known.get(name)?.some((one) => one === to[name]) === true);
  if (!isKnown) return null;
  const words = await wordsOf(listed, args, { warnings: '' }, host);
  return foresee(['install', ...flagsOf(args), '--', ...words], host);
}

/** Refuses what apt would not do, as far as its lists and what is installed tell. */
export async function refuseInstall(
  change: Change<PackageSet>,
  args: InstallArgs,
  host: HostView,
): Promise<void> {
  if (change.action === 'remove') return;
  const versions = versionsIn(change.to);
  const names = Object.keys(versions);
  if (!args.updateHolds) await refuseHeld(names, host);
  // Otherwise the lists are fetched before anything is said to be in none.
  if (args.refresh === false)
    await wordsOf(namesInLists(names, args), args, { warnings: '' }, host);
  else if (await mustRefresh(versions, args, host)) return;
  const foresight = await foreseeInstall(versions, args, host);
  if (foresight !== null) refuse('install', names, foresight);
}

async function refuseHeld(names: readonly string[], host: HostView): Promise<void> {
  const { installed } = await readPackages(host);
  const held = names.find((name) => installed.get(name)?.isHeld === true);
  if (held === undefined) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot change the version of "${held}": it is held (update_holds: true changes it all the same, pkg.unheld lifts that)`,
    { lacks: [] },
  );
}
