import type { HostView } from '../../../host/host.ts';
import { ownersOf, parentsOf } from '../../lib/resources.ts';
import { said } from '../../lib/said.ts';
import { changedFiles, inCheckout, localCommit } from './git-checkout.ts';
import type { Checkout } from './git-checkout.ts';
import { withoutPassword } from './git-remote.ts';
import type { Remote } from './git-remote.ts';

/** How a working copy is. */
export type CheckoutState = {
  rev: string | null;
  branch: string | null;
  name: string | null;
  user: string;
  local_changes: 'none' | 'some';
  submodules: boolean;
};

/** A working copy as arguments tell of it, with what they leave out as it is by default. */
export function checkoutAs(
  args: Remote & { target: string; remote: string } & Partial<Checkout>,
): Checkout {
  const { local_changes = 'refuse', submodules = false, fetch_tags = true } = args;
  const { force_fetch = false, force_checkout = false, force_reset = false } = args;
  const { name, target, remote, host_keys, user, identity, https_user, https_pass, depth } = args;
  return {
    name,
    target,
    remote,
    host_keys,
    local_changes,
    submodules,
    fetch_tags,
    force_fetch,
    force_checkout,
    force_reset,
    ...said({ user, identity, https_user, https_pass, depth }),
  };
}

export function providesOf({ target }: { target: string }): string[] {
  return [`checkout:${target}`, `path:${target}`];
}

export function needsOf({ target, user }: { target: string; user?: string }): string[] {
  return ['package:git', ...parentsOf(target), ...ownersOf(said({ user }))];
}

/** How the working copy at the target is; `null` if there is none. */
export async function readCheckout(
  checkout: Checkout,
  host: HostView,
): Promise<CheckoutState | null> {
  const { target } = checkout;
  const status = await host.status(target);
  if (status?.kind !== 'directory' || (await host.status(`${target}/.git`)) === null) return null;
  const { user } = status;
  if ((await host.accounts()).has(user)) return { user, ...(await look(checkout, user, host)) };
  return { user, rev: null, branch: null, name: null, local_changes: 'none', submodules: false };
}

/** Looks as the owner: git refuses to run in the directory of somebody else, and rightly so. */
async function look(
  { target, remote, submodules }: Checkout,
  user: string,
  host: HostView,
): Promise<Omit<CheckoutState, 'user'>> {
  const owner = { target, user };
  const options = inCheckout(owner);
  const head = await host.query(['git', 'symbolic-ref', '--quiet', '--short', 'HEAD'], options);
  const url = await host.query(['git', 'config', '--get', `remote.${remote}.url`], options);
  const rev = await localCommit(host, owner, 'HEAD');
  return {
    rev,
    branch: head.exitCode === 0 ? head.stdout.trim() : null,
    name: url.exitCode === 0 ? shownAddress(url.stdout.trim()) : null,
    local_changes: rev !== null && (await changedFiles(host, owner)).length > 0 ? 'some' : 'none',
    submodules: submodules && rev !== null && (await areSubmodulesCurrent(host, owner)),
  };
}

/** An address with credentials in it is not what should stand there, and must not be told either. */
function shownAddress(url: string): string {
  const plain = withoutPassword(url);
  return plain === url ? url : `${plain} (with credentials)`;
}

async function areSubmodulesCurrent(
  host: HostView,
  checkout: { target: string; user?: string },
): Promise<boolean> {
  const argv = ['git', 'submodule', 'status', '--recursive'] as const;
  const output = await host.query(argv, inCheckout(checkout));
  return output.exitCode === 0 && !/^[-+U]/mu.test(output.stdout);
}
