import type { Change } from '../../../../shared/change.ts';
import { ConductorError } from '../../../../shared/errors.ts';
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
import { foreseeClone, foreseeMove, noSuchRev } from './git-foresight.ts';
import { resolve, withoutPassword } from './git-remote.ts';
import { clearStaleLocks } from './git-locks.ts';
import type { CheckoutState } from './git-state.ts';
import { giveTo, makeOwnDirectory } from './own-directory.ts';
import { refuseParents, wantedOwnership } from '../../lib/ownership.ts';
import { said } from '../../lib/said.ts';

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

/**
 * Refuses a change of a working copy by which something would be lost or that leads nowhere, as far as the remote tells
 * that before a fetch.
 */
export async function refuseCheckout(
  change: Change<CheckoutState>,
  checkout: Checkout,
  place: Place,
  host: HostView,
): Promise<void> {
  await wantedOwnership(said({ user: checkout.user }), host);
  if (change.action === 'create') {
    await refuseParents({ name: checkout.target, makedirs: true }, host);
    await guardTarget(checkout, place, host);
  } else {
    if (change.action === 'update') refuseTakeover(change, checkout);
    await guardLocalChangesOf(change, checkout, host);
  }
  await foresee(change, checkout, place, host);
}

/** Why only a fetch tells what becomes of the change; `null` if that is known. */
export function uncertainCheckout(
  change: Change<CheckoutState>,
  checkout: Checkout,
  place: Place,
  host: HostView,
): Promise<string | null> {
  return foresee(change, checkout, place, host);
}

async function foresee(
  change: Change<CheckoutState>,
  checkout: Checkout,
  { rev }: Place,
  host: HostView,
): Promise<string | null> {
  if (change.action === 'remove') return null;
  if (change.action === 'create') {
    const { rev: sha, branch = null } = change.to;
    return sha ? foreseeClone(host, checkout, { rev, sha, branch }) : null;
  }
  if (!(await canBeMoved(change, host))) return null;
  const { rev: sha, branch } = { ...change.from, ...change.to };
  const theirs = { ...checkout, user: change.from.user };
  return sha === null ? null : foreseeMove(host, theirs, { rev, sha, branch });
}

async function guardLocalChangesOf(
  change: Change<CheckoutState>,
  checkout: Checkout,
  host: HostView,
): Promise<void> {
  if (change.action !== 'update' || !(await canBeMoved(change, host))) return;
  await guardLocalChanges(host, { ...checkout, user: change.from.user });
}

/** What belongs to nobody cannot be looked at before it has been given to somebody. */
async function canBeMoved(
  change: Extract<Change<CheckoutState>, { readonly action: 'update' }>,
  host: HostView,
): Promise<boolean> {
  return isMoving(change.to) && (await host.accounts()).has(change.from.user);
}

/** Git runs the hooks of a checkout, and programs that its settings name: root does not run those of others. */
function refuseTakeover(
  { from, to }: Extract<Change<CheckoutState>, { action: 'update' }>,
  { target }: Checkout,
): void {
  if (to.user !== 'root' || from.user === 'root') return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot make root the owner of the checkout "${target}": root would run the hooks and settings of "${from.user}" in it ` +
      `(say \`user: ${from.user}\`, or take the checkout away first)`,
    { lacks: [] },
  );
}

/** Whether more differs than whose it is, and where its remote is. */
function isMoving({ rev, branch, local_changes, submodules }: Partial<CheckoutState>): boolean {
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
async function isFree(
  checkout: Pick<Checkout, 'target' | 'user'>,
  host: HostView,
): Promise<boolean> {
  const { target } = checkout;
  const status = await host.status(target);
  if (status === null) return true;
  const names = status.kind === 'directory' ? ((await host.list(target)) ?? []) : [target];
  return names.every((name) => name === '.git') || isCutShort(host, checkout);
}

async function guardTarget(
  checkout: Checkout,
  { force_clone }: Place,
  host: HostView,
): Promise<void> {
  const { target } = checkout;
  if (force_clone || (await isFree(checkout, host))) return;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot clone into "${target}": something is there that is no working copy; force_clone would delete it`,
  );
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
