import type { HostView } from '../../../host/host.ts';
import { ask } from '../../lib/ask.ts';
import { inCheckout } from './git-checkout.ts';
import { IN_MEMORY, networkCommand, withoutPassword } from './git-remote.ts';
import type { Remote } from './git-remote.ts';

/** What a remote has, before anything of it is brought here. */

/** The files of a commit: `missing` if the remote has no such commit, `untold` if it cannot be asked. */
export type Ahead = 'missing' | 'untold' | readonly string[];

/** The files of a commit that may not be here yet. */
export function filesAhead(host: HostView, remote: Remote, sha: string): Promise<Ahead> {
  const topic = `git-ahead ${remote.user ?? 'root'} ${withoutPassword(remote.name)} ${sha}`;
  return host.shared(topic, async () => {
    const { argv, options } = await networkCommand(host, remote, {
      git: ['fetch', '--quiet', '--no-tags', '--depth=1', '--filter=blob:none', '--', 'ahead', sha],
      keepHostKeys: false,
    });
    const url = withoutPassword(remote.name);
    const output = await host.query(['sh', '-c', LOOK, 'sh', url, ...argv], {
      ...options,
      cwd: '/',
      inMemory: IN_MEMORY,
    });
    if (output.exitCode === 0) return filesIn(output.stdout);
    return /not our ref/u.test(output.stderr) ? 'missing' : 'untold';
  });
}

/**
 * A fixed text; what varies comes in as arguments. A repository in memory that nobody else sees takes what is fetched, of files only their
 * names where the server can leave the rest out, and is gone with the command.
 */
const LOOK = `set -e
cd ${IN_MEMORY}
umask 077
git init --quiet --bare ahead
cd ahead
git remote add -- ahead "$1"
shift
"$@"
git ls-tree -r -z FETCH_HEAD
`;

/** The files of a commit that is here. */
export async function filesHere(
  host: HostView,
  checkout: { target: string; user?: string },
  sha: string,
): Promise<readonly string[]> {
  const argv = ['git', 'ls-tree', '-r', '-z', sha] as const;
  return filesIn(
    await ask(host, argv, `look at the checkout "${checkout.target}"`, inCheckout(checkout)),
  );
}

/** A submodule is no file, and may stand where something is. */
function filesIn(listing: string): readonly string[] {
  return listing
    .split('\0')
    .filter((line) => line !== '' && !line.startsWith('160000 '))
    .map((line) => line.slice(line.indexOf('\t') + 1));
}

/** Whether the remote has a commit that is here; `null` if it cannot be asked. */
export async function hasCommit(
  host: HostView,
  checkout: Remote & { target: string },
  sha: string,
): Promise<boolean | null> {
  const url = withoutPassword(checkout.name);
  const { argv, options } = await networkCommand(host, checkout, {
    git: ['fetch', '--quiet', '--negotiate-only', `--negotiation-tip=${sha}`, '--', url],
    keepHostKeys: false,
  });
  const output = await host.query(argv, { ...options, cwd: checkout.target });
  return output.exitCode === 0 ? output.stdout.split('\n').includes(sha) : null;
}
