import type { Change } from '../../../../shared/change.ts';
import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { refuseOthersPlace } from '../../lib/others.ts';
import { refuseParents, wantedOwnership } from '../../lib/ownership.ts';
import { said } from '../../lib/said.ts';
import type { Checkout } from './git-checkout.ts';
import { foreseeClone, foreseeMove } from './git-foresight.ts';
import { guardLocalChanges } from './git-guards.ts';
import type { CheckoutState } from './git-state.ts';
import { isFree, isMoving } from './git-update.ts';
import type { Place } from './git-update.ts';

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
  const { target, user } = checkout;
  await wantedOwnership(said({ user }), host);
  if (change.action === 'update') refuseTakeover(change, checkout);
  await refuseOthersPlace(target, { user, what: 'a checkout' }, host);
  if (change.action === 'create') {
    await refuseParents({ name: checkout.target, makedirs: true }, host);
    await guardTarget(checkout, place, host);
  } else {
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
    { inTheWay: [`path:${target}`] },
  );
}
