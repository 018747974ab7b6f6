import type { Change } from '../../../../shared/change.ts';
import type { Host, HostView } from '../../../host/host.ts';
import {
  ensureRepository,
  fetch,
  isCutShort,
  localCommit,
  moveTo,
  trackedCommit,
  updateSubmodules,
} from './git-checkout.ts';
import type { Checkout, Goal } from './git-checkout.ts';
import { guardLocalChanges, guardOwnCommits, ownCommits } from './git-guards.ts';
import { noSuchRev } from './git-foresight.ts';
import { resolve, withoutPassword } from './git-remote.ts';
import { clearStaleLocks } from './git-locks.ts';
import type { CheckoutState } from './git-state.ts';
import { giveTo, makeOwnDirectory } from './own-directory.ts';

/** Where a working copy is to stand. */
export interface Place {
  readonly rev: string;
  /** The local branch: `null` is none; that of the rev if absent. */
  readonly branch?: string | null;
  readonly force_clone: boolean;
  /** Whether the remote is asked what the rev is, once there is something here; default true. */
  readonly asks?: boolean;
}

/** How the working copy should be; asks the remote. */
export async function wantedCheckout(
  checkout: Checkout,
  place: Place,
  host: HostView,
): Promise<Partial<CheckoutState>> {
  const { sha, branch } = await goalOf(checkout, place, host);
  return {
    rev: sha,
    branch,
    name: withoutPassword(checkout.name),
    user: checkout.user ?? 'root',
    ...(checkout.local_changes === 'discard' ? { local_changes: 'none' } : {}),
    ...(checkout.submodules ? { submodules: true } : {}),
  };
}

/** Whether more differs than whose it is, and where its remote is. */
export function isMoving({
  rev,
  branch,
  local_changes,
  submodules,
}: Partial<CheckoutState>): boolean {
  return [rev, branch, local_changes, submodules].some((one) => one !== undefined);
}

/** Carries out a change of a working copy. */
export async function moveCheckout(
  change: Change<CheckoutState>,
  checkout: Checkout,
  place: Place,
  host: Host,
): Promise<void> {
  if (change.action === 'remove') return;
  await clearStaleLocks(checkout.target, host);
  await prepareTarget(change, checkout, place, host);
  await ensureRepository(host, checkout);
  if (isMoving(change.to)) await update(checkout, place, host);
}

async function update(checkout: Checkout, place: Place, host: Host): Promise<void> {
  await guardLocalChanges(host, checkout);
  let goal = await goalOf(checkout, place, host);
  const own = await ownCommits(host, checkout, goal.branch);
  if (!(await hasEverything(host, checkout, goal))) await fetch(host, checkout, goal);
  if (goal.resolved === null) goal = await goalOf(checkout, place, host);
  if ((await localCommit(host, checkout, goal.sha)) === null) throw noSuchRev(checkout, place.rev);
  await guardOwnCommits(host, checkout, { ...goal, own });
  await moveTo(host, checkout, goal);
  if (checkout.submodules) await updateSubmodules(host, checkout);
}

/** An abbreviated commit can be looked up in the working copy only, once it has been fetched. */
async function goalOf(checkout: Checkout, place: Place, host: HostView): Promise<Goal> {
  const { target } = checkout;
  const isThere = (await host.status(`${target}/.git`)) !== null;
  const here = isThere && place.asks === false ? await findHere(checkout, place, host) : null;
  if (here !== null) return { sha: here, branch: place.branch ?? null, resolved: null };
  const resolved = await resolve(host, checkout, place.rev);
  if (resolved !== null) {
    const ofBranch = resolved.kind === 'branch' ? resolved.name : null;
    return { sha: resolved.sha, branch: branchOf(place, ofBranch), resolved };
  }
  if (!/^[0-9a-f]{7,39}$/u.test(place.rev)) throw noSuchRev(checkout, place.rev);
  const sha = isThere ? await localCommit(host, ownerOf(checkout), place.rev) : null;
  return { sha: sha ?? place.rev, branch: branchOf(place, null), resolved: null };
}

function branchOf({ branch }: Place, ofRev: string | null): string | null {
  return branch === undefined ? ofRev : branch;
}

async function findHere(
  checkout: Checkout,
  { rev }: Place,
  host: HostView,
): Promise<string | null> {
  const owner = ownerOf(checkout);
  const tracked = await localCommit(host, owner, `refs/remotes/${checkout.remote}/${rev}`);
  return tracked ?? localCommit(host, owner, rev);
}

/** A directory that belongs to the user, and that git may make a repository in. */
async function prepareTarget(
  change: Change<CheckoutState>,
  { target, user = 'root' }: Checkout,
  { force_clone }: Place,
  host: Host,
): Promise<void> {
  if (change.action === 'create') {
    if (force_clone && !(await isFree({ target, user }, host))) await host.remove(target);
    await makeOwnDirectory(host, target, user);
  } else if (change.action === 'update' && change.to.user !== undefined) {
    await giveTo(host, target, user);
  }
}

/** Whether nothing is at the target but, perhaps, a clone that was cut short. */
export async function isFree(
  checkout: Pick<Checkout, 'target' | 'user'>,
  host: HostView,
): Promise<boolean> {
  const { target } = checkout;
  const status = await host.status(target);
  if (status === null) return true;
  const names = status.kind === 'directory' ? ((await host.list(target)) ?? []) : [target];
  return names.every((name) => name === '.git') || isCutShort(host, checkout);
}

/** Nothing needs to be fetched to be on a commit that is there, under the branch that it came from. */
async function hasEverything(host: HostView, checkout: Checkout, goal: Goal): Promise<boolean> {
  if ((await localCommit(host, checkout, goal.sha)) === null) return false;
  if (goal.resolved?.kind !== 'branch') return true;
  return (await trackedCommit(host, checkout, goal)) === goal.sha;
}

function ownerOf({ target, user }: Checkout): { target: string; user?: string } {
  return user === undefined ? { target } : { target, user };
}
