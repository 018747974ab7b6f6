import type { CommandOptions, Host, HostView } from '../../../host/host.ts';
import { ask } from '../../lib/ask.ts';
import { networkCommand, withoutPassword } from './git-remote.ts';
import type { Remote, Resolved } from './git-remote.ts';

/** A working copy, and what may be done to what is in it. */
export interface Checkout extends Remote {
  readonly target: string;
  readonly remote: string;
  readonly depth?: number;
  readonly submodules: boolean;
  readonly local_changes: 'refuse' | 'keep' | 'discard';
  readonly fetch_tags: boolean;
  readonly force_fetch: boolean;
  readonly force_checkout: boolean;
  readonly force_reset: boolean;
}

/** Where the working copy is to be. */
export interface Goal {
  readonly sha: string;
  /** The local branch to be on; `null` is a detached head. */
  readonly branch: string | null;
  /** `null` if the rev names nothing that the remote lists: an abbreviated commit. */
  readonly resolved: Resolved | null;
}

/** Git in the working copy, as the user of the checkout. */
export function inCheckout({ target, user }: { target: string; user?: string }): CommandOptions {
  const env = { GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
  return { cwd: target, env, ...(user === undefined ? {} : { user }) };
}

/** The commit that a name or an abbreviated hash stands for in the working copy; `null` if none. */
export async function localCommit(
  host: HostView,
  checkout: { target: string; user?: string },
  rev: string,
): Promise<string | null> {
  const argv = ['git', 'rev-parse', '--verify', '--quiet', `${rev}^{commit}`] as const;
  const output = await host.query(argv, inCheckout(checkout));
  return output.exitCode === 0 ? output.stdout.trim() : null;
}

/** Makes a repository at the target if there is none, with the remote it is to follow. */
export async function ensureRepository(host: Host, checkout: Checkout): Promise<void> {
  const { target, remote, name } = checkout;
  const options = inCheckout(checkout);
  // One that was cut short while it was made is made to its end.
  const isWhole = (await host.status(`${target}/.git/HEAD`)) !== null;
  if (!isWhole || (await localCommit(host, checkout, 'HEAD')) === null)
    await host.run(['git', 'init', '--quiet'], options);
  if (!isWhole) await host.run(['git', 'config', 'conductor.cloning', 'true'], options);
  const url = withoutPassword(name);
  const known = await host.query(['git', 'config', '--get-all', `remote.${remote}.url`], options);
  if (known.stdout === `${url}\n`) return;
  const verb = known.exitCode === 0 ? 'set-url' : 'add';
  await host.run(['git', 'remote', verb, '--', remote, url], options);
}

/** Whether what was changed by hand may be given up. */
export function mayDiscard({ local_changes, force_reset }: Checkout): boolean {
  return local_changes === 'discard' || force_reset;
}

/** Tracked files that are not as the commit has them. */
export async function changedFiles(
  host: HostView,
  checkout: { target: string; user?: string },
): Promise<readonly string[]> {
  const argv = [
    'git',
    'status',
    '--porcelain',
    '--untracked-files=no',
    '--ignore-submodules',
  ] as const;
  const text = await ask(
    host,
    argv,
    `look at the checkout "${checkout.target}"`,
    inCheckout(checkout),
  );
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(3));
}

/** Brings over what the goal needs. */
export async function fetch(
  host: Host,
  checkout: Checkout,
  { sha, resolved }: Goal,
): Promise<void> {
  const { remote, depth, force_fetch, fetch_tags } = checkout;
  const limit = depth === undefined ? [] : [`--depth=${depth}`];
  const force = force_fetch ? ['--force'] : [];
  const tags = fetch_tags ? [] : ['--no-tags'];
  const git = ['fetch', '--quiet', ...tags, '--no-recurse-submodules', ...force, ...limit];
  await runOnNetwork(host, checkout, [...git, '--', remote, ...refspecs(checkout, resolved)]);
  if (resolved?.kind !== 'sha' || (await localCommit(host, checkout, sha)) !== null) return;
  await runOnNetwork(host, checkout, [...git, '--', remote, sha]);
}

/** Submodules as the commit names them. */
export async function updateSubmodules(host: Host, checkout: Checkout): Promise<void> {
  await host.run(['git', 'submodule', '--quiet', 'sync', '--recursive'], inCheckout(checkout));
  const depth = checkout.depth === undefined ? [] : [`--depth=${checkout.depth}`];
  const git = ['submodule', '--quiet', 'update', '--init', '--recursive', ...depth];
  await runOnNetwork(host, checkout, git);
}

/** Puts the working copy on the goal. */
export async function moveTo(host: Host, checkout: Checkout, { sha, branch }: Goal): Promise<void> {
  const { force_checkout } = checkout;
  const options = inCheckout(checkout);
  const isFirst = await isCutShort(host, checkout);
  const force = mayDiscard(checkout) || force_checkout || isFirst ? ['--force'] : [];
  const to = branch === null ? ['--detach', sha] : ['-B', branch, sha];
  await host.run(
    ['git', 'checkout', '--quiet', '--no-recurse-submodules', ...force, ...to, '--'],
    options,
  );
  if (isFirst) await host.run(['git', 'config', '--remove-section', 'conductor'], options);
}

/** Whether what is there is a clone of ours that did not come to its end: its files are nobody's work. */
export async function isCutShort(
  host: HostView,
  checkout: { target: string; user?: string },
): Promise<boolean> {
  const settings = await host.readFile(`${checkout.target}/.git/config`);
  const isMarked = /\[conductor\]\s+cloning = true/u.test(Buffer.from(settings ?? []).toString());
  return isMarked && (await localCommit(host, checkout, 'HEAD')) === null;
}

/** Where the branch of the remote was when last fetched; `null` if it never was. */
export function trackedCommit(
  host: HostView,
  checkout: Checkout,
  { resolved }: Goal,
): Promise<string | null> {
  if (resolved?.kind !== 'branch') return Promise.resolve(null);
  return localCommit(host, checkout, `refs/remotes/${checkout.remote}/${resolved.name}`);
}

/** All branches, so that people find them; only what is needed if the history is cut short. */
function refspecs({ remote, depth }: Checkout, resolved: Resolved | null): string[] {
  if (resolved?.kind === 'sha') return depth === undefined ? [branches(remote)] : [resolved.sha];
  if (resolved?.kind === 'tag') return [`refs/tags/${resolved.name}:refs/tags/${resolved.name}`];
  if (resolved !== null && depth !== undefined) {
    return [`+refs/heads/${resolved.name}:refs/remotes/${remote}/${resolved.name}`];
  }
  return [branches(remote)];
}

function branches(remote: string): string {
  return `+refs/heads/*:refs/remotes/${remote}/*`;
}

async function runOnNetwork(host: Host, checkout: Checkout, git: readonly string[]): Promise<void> {
  const { argv, options } = await networkCommand(host, checkout, { git, keepHostKeys: true });
  await host.run(argv, { ...options, cwd: checkout.target });
}
