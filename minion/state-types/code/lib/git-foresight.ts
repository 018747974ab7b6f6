import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { ask } from '../../lib/ask.ts';
import { filesAhead, filesHere, hasCommit } from './git-ahead.ts';
import { inCheckout, isCutShort, localCommit, mayDiscard } from './git-checkout.ts';
import type { Checkout } from './git-checkout.ts';
import { guardOwnCommits, ownCommits, refuseOwnCommits } from './git-guards.ts';
import { withoutPassword } from './git-remote.ts';

/** Where a working copy is to go, as far as that is known before anything is fetched. */
export interface Move {
  readonly rev: string;
  readonly sha: string;
  readonly branch: string | null;
}

const WHOLE = /^[0-9a-f]{40}$/u;

/** Refuses a commit that the remote has not. Says why that cannot be told; `null` if it has it. */
export async function foreseeClone(
  host: HostView,
  checkout: Checkout,
  { rev, sha }: Move,
): Promise<string | null> {
  if (!WHOLE.test(sha)) return abbreviated(rev);
  // What the remote itself has named is there.
  if (rev !== sha) return null;
  const ahead = await filesAhead(host, checkout, sha);
  if (ahead === 'missing') throw noSuchRev(checkout, rev);
  return ahead === 'untold' ? untold(checkout, rev) : null;
}

/**
 * Refuses a move by which something would be lost or that leads nowhere. Says why only a fetch tells that; `null` if it
 * is known.
 */
export async function foreseeMove(
  host: HostView,
  checkout: Checkout,
  move: Move,
): Promise<string | null> {
  const { sha, branch } = move;
  if (!WHOLE.test(sha)) return abbreviated(move.rev);
  const own = await ownCommits(host, checkout, branch);
  if ((await localCommit(host, checkout, sha)) !== null) {
    await guardOwnCommits(host, checkout, { sha, branch, own });
    const untracked = await untrackedFiles(host, checkout);
    if (untracked.length === 0) return null;
    refuseMeeting(checkout, move, meeting(untracked, await filesHere(host, checkout, sha)));
    return null;
  }
  const doubt = own === null ? null : await foreseeOwn(host, checkout, { move, own });
  return doubt ?? foreseeFiles(host, checkout, move);
}

/** Commits that the remote has not got cannot be in what is to be fetched. */
async function foreseeOwn(
  host: HostView,
  checkout: Checkout,
  { move, own }: { readonly move: Move; readonly own: string },
): Promise<string | null> {
  if ((await hasCommit(host, checkout, own)) === false)
    refuseOwnCommits(checkout, { branch: move.branch, own });
  return `its branch "${move.branch}" has commits of its own, and only a fetch tells whether "${move.rev}" has them too`;
}

async function foreseeFiles(
  host: HostView,
  checkout: Checkout,
  move: Move,
): Promise<string | null> {
  const untracked = await untrackedFiles(host, checkout);
  if (untracked.length === 0 && move.rev !== move.sha) return null;
  const ahead = await filesAhead(host, checkout, move.sha);
  if (ahead === 'missing') throw noSuchRev(checkout, move.rev);
  if (ahead === 'untold') return untold(checkout, move.rev);
  refuseMeeting(checkout, move, meeting(untracked, ahead));
  return null;
}

function refuseMeeting({ target }: Checkout, { rev }: Move, inTheWay: readonly string[]): void {
  if (inTheWay.length === 0) return;
  const more = inTheWay.length > 5 ? ` and ${inTheWay.length - 5} more` : '';
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot update the checkout "${target}": "${rev}" has files where others stand that are not in git: ` +
      `${inTheWay.slice(0, 5).join(', ')}${more}; move them away, or set force_checkout to replace them`,
    { lacks: [] },
  );
}

/** Files that are not in git and may not be replaced; those that git ignores are nobody's work. */
async function untrackedFiles(host: HostView, checkout: Checkout): Promise<readonly string[]> {
  if (mayDiscard(checkout) || checkout.force_checkout || (await isCutShort(host, checkout)))
    return [];
  const argv = ['git', 'ls-files', '--others', '--exclude-standard', '-z'] as const;
  const what = `look at the checkout "${checkout.target}"`;
  const text = await ask(host, argv, what, inCheckout(checkout));
  return text.split('\0').filter((name) => name !== '');
}

/** Those that stand where a file comes, or a directory with one, or within what becomes a file. */
function meeting(untracked: readonly string[], files: readonly string[]): readonly string[] {
  const taken = new Set(files);
  const directories = new Set(files.flatMap(directoriesAbove));
  return untracked.filter(
    (name) =>
      taken.has(name) ||
      directories.has(name) ||
      directoriesAbove(name).some((directory) => taken.has(directory)),
  );
}

function directoriesAbove(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

export function noSuchRev({ name }: Checkout, rev: string): ConductorError {
  return new ConductorError(
    'SOURCE_MISSING',
    `Cannot check out "${rev}": "${withoutPassword(name)}" has no branch, tag or commit of that name`,
    { lacks: name.startsWith('/') ? [`path:${name}`] : [] },
  );
}

function untold({ name }: Checkout, rev: string): string {
  return `"${withoutPassword(name)}" does not tell what "${rev}" holds before it is fetched`;
}

function abbreviated(rev: string): string {
  return `which commit "${rev}" is short for shows once all of them have been fetched`;
}
