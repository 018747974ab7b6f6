import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { ask } from '../../lib/ask.ts';
import { changedFiles, inCheckout, isCutShort, localCommit, mayDiscard } from './git-checkout.ts';
import type { Checkout } from './git-checkout.ts';

/** Refuses to go on if work that is not committed would be lost. */
export async function guardLocalChanges(host: HostView, checkout: Checkout): Promise<void> {
  const { target, local_changes, force_reset, force_checkout } = checkout;
  if (local_changes !== 'refuse' || force_reset || force_checkout) return;
  const changes = await changedFiles(host, checkout);
  // An index without a commit is what a first checkout leaves that was cut short: nobody's work.
  if (changes.length === 0 || (await isCutShort(host, checkout))) return;
  const files = changes.slice(0, 5).join(', ');
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot update the checkout "${target}": it has local changes in ${files}` +
      `${changes.length > 5 ? ` and ${changes.length - 5} more` : ''}; set local_changes to keep or discard them`,
    { lacks: [] },
  );
}

/**
 * Where a local branch stands that has commits which were not in the remote when it was last fetched, and are not to be
 * given up; `null` if it has none. To be asked before a fetch moves what was fetched last.
 */
export async function ownCommits(
  host: HostView,
  checkout: Checkout,
  branch: string | null,
): Promise<string | null> {
  if (branch === null || mayDiscard(checkout)) return null;
  const at = await localCommit(host, checkout, `refs/heads/${branch}`);
  if (at === null) return null;
  const there = ['--count=1', '--format=%(refname)', `refs/remotes/${checkout.remote}/`] as const;
  const argv = ['git', 'for-each-ref', '--contains', at, ...there] as const;
  const found = await ask(host, argv, 'look for its commits', inCheckout(checkout));
  return found.trim() === '' ? at : null;
}

/** Refuses to take a branch from its own commits to one that does not have them. */
export async function guardOwnCommits(
  host: HostView,
  checkout: Checkout,
  { sha, branch, own }: { sha: string; branch: string | null; own: string | null },
): Promise<void> {
  if (own === null || own === sha) return;
  const argv = ['git', 'merge-base', '--is-ancestor', own, sha] as const;
  const { exitCode } = await host.query(argv, inCheckout(checkout));
  if (exitCode !== 0) refuseOwnCommits(checkout, { branch, own });
}

export function refuseOwnCommits(
  checkout: Checkout,
  { branch, own }: { branch: string | null; own: string },
): never {
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot update the checkout "${checkout.target}": its branch "${branch}" has commits that the remote does not ` +
      `have (it is at ${own.slice(0, 12)}); set force_reset, or local_changes to discard, to give them up`,
    { lacks: [] },
  );
}
