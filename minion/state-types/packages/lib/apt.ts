import { ConductorError } from '../../../../shared/errors.ts';
import type { Argv, Host, HostView, Output } from '../../../host/host.ts';
import { UNCACHED, packagesChanged } from '../../lib/packages.ts';
import { said } from '../../lib/said.ts';
import { tornPackages } from './torn-packages.ts';

const DAY_MS = 86_400_000;
const TIMEOUT_MS = 1_500_000;
const LONGEST_LOCK_MS = 600_000;
const LOOK_EVERY_MS = 2000;
const REFRESHED = 'apt-lists-refreshed';
const LISTS = '/var/lib/apt/lists';

/** Nobody is there to answer questions, and a changed configuration file stays as it is. */
const ENVIRONMENT = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_MODE: 'l',
  NEEDRESTART_SUSPEND: '1',
} as const;

const OPTIONS = [
  '--quiet=2',
  '--assume-yes',
  '--option=Dpkg::Use-Pty=0',
  UNCACHED,
  '--option=Dpkg::Options::=--force-confdef',
  '--option=Dpkg::Options::=--force-confold',
] as const;

/** Reads the sources of packages as apt does, and writes no cache of them. */
export const READ_SOURCES: Argv = [
  'apt-get',
  UNCACHED,
  '--option=Dir::Cache::srcpkgcache=',
  'indextargets',
];

/** Runs one apt-get transaction, after mending one that was interrupted. */
export async function aptGet(args: readonly string[], host: Host): Promise<void> {
  await mendDpkg(host);
  try {
    await whenUnlocked(['apt-get', ...OPTIONS, ...args], host);
  } finally {
    packagesChanged(host);
  }
}

/** Ends what an interrupted dpkg has left undone; apt-get refuses to do anything before that. */
async function mendDpkg(host: Host): Promise<void> {
  if (!(await wasInterrupted(host))) return;
  const torn = await tornPackages(host);
  if (torn.length > 0) await unpackAgain(torn, host);
  await whenUnlocked(
    ['dpkg', '--force-confdef', '--force-confold', '--configure', '--pending'],
    host,
  );
  packagesChanged(host);
}

/**
 * apt-get takes a package that was torn for installed, and never unpacks it again unless it is told to. Before that
 * dpkg has to write down its journal, as it does whatever it is asked to change.
 */
async function unpackAgain(torn: readonly string[], host: Host): Promise<void> {
  await whenUnlocked(['dpkg', '--set-selections'], host);
  const flags = ['--reinstall', '--no-install-recommends'];
  await whenUnlocked(['apt-get', ...OPTIONS, 'install', ...flags, '--', ...torn], host);
}

/** Whether a dpkg was interrupted before it was through. */
export async function wasInterrupted(host: HostView): Promise<boolean> {
  const updates = await host.list('/var/lib/dpkg/updates');
  const audit = await host.query(['dpkg', '--audit']);
  return (updates ?? []).length > 0 || audit.stdout.trim() !== '';
}

/** Runs apt, dpkg or debconf; one that somebody else is running is waited for, whichever of the locks it has. */
export async function whenUnlocked(argv: Argv, host: Host, input?: string): Promise<Output> {
  const options = { env: ENVIRONMENT, timeoutMs: TIMEOUT_MS, ...said({ input }) };
  const end = performance.now() + LONGEST_LOCK_MS;
  let lock: string | null = null;
  for (;;) {
    try {
      if (lock !== null) await host.sleep(LOOK_EVERY_MS);
      return await host.run(argv, options);
    } catch (error) {
      const own = lockIn(error);
      if (own === null) throw tellingOf(lock, error);
      if (performance.now() >= end) throw error;
      lock = own;
    }
  }
}

/** Who holds the lock that a command did not get, in its own words; `null` if that is not why it failed. */
function lockIn(error: unknown): string | null {
  if (!(error instanceof ConductorError) || error.code !== 'COMMAND_FAILED') return null;
  const { output } = error.details;
  if (typeof output !== 'string') return null;
  const words =
    /could not get lock [^\n]+|\S+ (?:frontend lock )?(?:was|is) locked by another[^\n]*/iu;
  return words.exec(output)?.[0] ?? null;
}

/** Whoever has no time left is told for whom it waited. */
function tellingOf(lock: string | null, error: unknown): unknown {
  if (lock === null || !(error instanceof ConductorError)) return error;
  if (error.code !== 'COMMAND_TIMEOUT' && error.code !== 'CANCELLED') return error;
  const message = `${error.message}; it had to wait: ${lock}`;
  return new ConductorError(error.code, message, { ...error.details, cause: error });
}

/** Whether the lists of the package sources are older than they may be, or than the sources. */
export async function areListsOld(
  { mostSeconds = DAY_MS / 1000 }: { mostSeconds?: number },
  host: HostView,
): Promise<boolean> {
  const refreshed = await lastRefresh(host);
  if (Date.now() - refreshed > mostSeconds * 1000) return true;
  return (await sourcesChanged(host)) > refreshed;
}

/** When the lists of all sources were last fetched, as far as that is known. */
async function lastRefresh(host: HostView): Promise<number> {
  if (!(await hasLists(host))) return 0;
  const remembered = await host.recall(REFRESHED);
  return remembered === null ? newest([LISTS, `${LISTS}/partial`], host) : Number(remembered);
}

/** Whether lists have ever been fetched. */
export async function hasLists(host: HostView): Promise<boolean> {
  const names = await host.list(LISTS);
  return (names ?? []).some((name) => /_Packages|Release/u.test(name));
}

/** When somebody last changed where packages come from, or whose signatures count. */
async function sourcesChanged(host: HostView): Promise<number> {
  const directory = '/etc/apt/sources.list.d';
  const names = await host.list(directory);
  const files = (names ?? []).map((name) => `${directory}/${name}`);
  const keys = ['/etc/apt/keyrings', '/etc/apt/trusted.gpg.d'];
  return newest(['/etc/apt/sources.list', directory, ...files, ...keys], host);
}

async function newest(paths: readonly string[], host: HostView): Promise<number> {
  const times = paths.map(async (path) => (await host.status(path))?.mtimeMs ?? 0);
  return Math.max(...(await Promise.all(times)));
}

/** What became of fetching package lists: `error` unless all of them came. */
export interface Refresh {
  readonly warnings: string;
  readonly error: ConductorError | null;
}

/** Fetches the lists of the package sources: once a run, and once more if the sources change in it. */
export async function refreshLists(host: Host): Promise<Refresh> {
  return host.shared(`apt-lists ${await sourcesChanged(host)}`, async () => {
    const refresh = await update([], host);
    if (refresh.error === null) await host.remember(REFRESHED, String(Date.now()));
    return refresh;
  });
}

/**
 * Fetches the lists of the sources in one file alone; those of the others stay as they are, and as
 * old as they were before the file was changed.
 */
export async function refreshOne(
  file: string,
  { wereOld }: { readonly wereOld: boolean },
  host: Host,
): Promise<Refresh> {
  if ((await host.recall(REFRESHED)) === null) {
    await host.remember(REFRESHED, String(await lastRefresh(host)));
  }
  const refresh = await update(
    [
      `--option=Dir::Etc::sourcelist=${file}`,
      '--option=Dir::Etc::sourceparts=-',
      '--option=APT::Get::List-Cleanup=0',
    ],
    host,
  );
  if (refresh.error === null && !wereOld) await host.remember(REFRESHED, String(Date.now()));
  return refresh;
}

async function update(options: readonly string[], host: Host): Promise<Refresh> {
  const argv: Argv = ['apt-get', ...OPTIONS, ...options, '--error-on=any', 'update'];
  try {
    const { stderr } = await whenUnlocked(argv, host);
    return { warnings: stderr, error: null };
  } catch (error) {
    if (!(error instanceof ConductorError) || error.code !== 'COMMAND_FAILED') throw error;
    const { output } = error.details;
    return { warnings: typeof output === 'string' ? output : error.message, error };
  } finally {
    packagesChanged(host);
  }
}
