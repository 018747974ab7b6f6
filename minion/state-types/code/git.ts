import type { z } from 'zod';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { defineState } from '../../engine/state-type.ts';
import { gitSchema } from './git-schema.ts';
import {
  changedFiles,
  ensureRepository,
  fetch,
  guardLocalChanges,
  inCheckout,
  localCommit,
  moveTo,
  trackedCommit,
  updateSubmodules,
} from './lib/git-checkout.ts';
import type { Goal } from './lib/git-checkout.ts';
import { resolve, withoutPassword } from './lib/git-remote.ts';
import { giveTo, makeOwnDirectory } from './lib/own-directory.ts';
import { ownersOf, parentsOf } from '../lib/resources.ts';

type Checkout = {
  rev: string | null;
  branch: string | null;
  name: string | null;
  user: string;
  local_changes: 'none' | 'some';
  submodules: boolean;
};

type Args = z.infer<typeof gitSchema>;

export const gitLatest = defineState<Args, Checkout>({
  name: 'git.latest',
  schema: gitSchema,
  example: `openknesset code:
  git.latest:
    name: https://github.com/hasadna/Open-Knesset.git
    rev: master
    target: /srv/projects/openknesset/code
    user: openknesset
`,
  provides: ({ target }) => [`checkout:${target}`, `path:${target}`],
  needs: ({ target, user }) => [
    'package:git',
    ...parentsOf(target),
    ...ownersOf(user === undefined ? {} : { user }),
  ],
  read,
  want: wanted,
  apply,
});

async function read(args: Args, host: HostView): Promise<Checkout | null> {
  const { target } = args;
  const status = await host.status(target);
  if (status?.kind !== 'directory' || (await host.status(`${target}/.git`)) === null) return null;
  const { user } = status;
  if ((await host.accounts()).has(user)) return { user, ...(await look(args, user, host)) };
  return { user, rev: null, branch: null, name: null, local_changes: 'none', submodules: false };
}

/** Looks as the owner: git refuses to run in the directory of somebody else, and rightly so. */
async function look(
  { target, remote, submodules }: Args,
  user: string,
  host: HostView,
): Promise<Omit<Checkout, 'user'>> {
  const owner = { target, user };
  const options = inCheckout(owner);
  const head = await host.query(['git', 'symbolic-ref', '--quiet', '--short', 'HEAD'], options);
  const url = await host.query(['git', 'config', '--get', `remote.${remote}.url`], options);
  const rev = await localCommit(host, owner, 'HEAD');
  return {
    rev,
    branch: head.exitCode === 0 ? head.stdout.trim() : null,
    name: url.exitCode === 0 ? withoutPassword(url.stdout.trim()) : null,
    local_changes: rev !== null && (await changedFiles(host, owner)).length > 0 ? 'some' : 'none',
    submodules: submodules && rev !== null && (await areSubmodulesCurrent(host, owner)),
  };
}

async function wanted(args: Args, host: HostView): Promise<Partial<Checkout>> {
  const { sha, branch } = await goalOf(args, host);
  return {
    rev: sha,
    branch,
    name: withoutPassword(args.name),
    user: args.user ?? 'root',
    ...(args.local_changes === 'discard' ? { local_changes: 'none' } : {}),
    ...(args.submodules ? { submodules: true } : {}),
  };
}

/** An abbreviated commit can be looked up in the working copy only, once it has been fetched. */
async function goalOf(args: Args, host: HostView): Promise<Goal> {
  const resolved = await resolve(host, args, args.rev);
  if (resolved !== null) {
    const ofBranch = resolved.kind === 'branch' ? resolved.name : null;
    return { sha: resolved.sha, branch: args.branch ?? ofBranch, resolved };
  }
  if (!/^[0-9a-f]{7,39}$/u.test(args.rev)) throw noSuchRev(args);
  const isThere = (await host.status(`${args.target}/.git`)) !== null;
  const sha = isThere ? await localCommit(host, ownerOf(args), args.rev) : null;
  return { sha: sha ?? args.rev, branch: args.branch ?? null, resolved: null };
}

async function apply(change: Change<Checkout>, args: Args, host: Host): Promise<void> {
  if (change.action === 'remove') return;
  await prepareTarget(change, args, host);
  await ensureRepository(host, args);
  const { rev, branch, local_changes, submodules } = change.to;
  if ((rev ?? local_changes ?? submodules) !== undefined || branch !== undefined) {
    await update(args, host);
  }
}

async function update(args: Args, host: Host): Promise<void> {
  await guardLocalChanges(host, args);
  let goal = await goalOf(args, host);
  const before = await trackedCommit(host, args, goal);
  if (!(await hasEverything(host, args, goal))) await fetch(host, args, goal);
  if (goal.resolved === null) goal = await goalOf(args, host);
  if ((await localCommit(host, args, goal.sha)) === null) throw noSuchRev(args);
  await moveTo(host, args, { ...goal, before });
  if (args.submodules) await updateSubmodules(host, args);
}

/** A directory that belongs to the user, and that git may make a repository in. */
async function prepareTarget(change: Change<Checkout>, args: Args, host: Host): Promise<void> {
  const { target, user = 'root' } = args;
  if (change.action === 'create') {
    await clearTarget(args, host);
    await makeOwnDirectory(host, target, user);
  } else if (change.action === 'update' && change.to.user !== undefined) {
    await giveTo(host, target, user);
  }
}

async function clearTarget({ target, force_clone }: Args, host: Host): Promise<void> {
  const status = await host.status(target);
  const isFree = status?.kind === 'directory' && (await host.list(target))?.length === 0;
  if (status === null || isFree) return;
  if (force_clone) return host.remove(target);
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot clone into "${target}": something is there that is no working copy; force_clone would delete it`,
  );
}

/** Nothing needs to be fetched to be on a commit that is there, under the branch that it came from. */
async function hasEverything(host: HostView, args: Args, goal: Goal): Promise<boolean> {
  if ((await localCommit(host, args, goal.sha)) === null) return false;
  return goal.resolved?.kind !== 'branch' || (await trackedCommit(host, args, goal)) === goal.sha;
}

async function areSubmodulesCurrent(
  host: HostView,
  checkout: { target: string; user?: string },
): Promise<boolean> {
  const output = await host.query(
    ['git', 'submodule', 'status', '--recursive'],
    inCheckout(checkout),
  );
  return output.exitCode === 0 && !/^[-+U]/mu.test(output.stdout);
}

function ownerOf({ target, user }: Args): { target: string; user?: string } {
  return user === undefined ? { target } : { target, user };
}

function noSuchRev({ name, rev }: Args): ConductorError {
  return new ConductorError(
    'SOURCE_MISSING',
    `Cannot check out "${rev}": "${withoutPassword(name)}" has no branch, tag or commit of that name`,
  );
}
