import { ConductorError } from '../../../shared/errors.ts';
import type { Host, HostView } from '../../host/host.ts';
import { packagesChanged } from './packages.ts';

const DAY_MS = 86_400_000;
const TIMEOUT_MS = 1_500_000;
const REFRESHED = 'apt-lists-refreshed';

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
  '--option=DPkg::Lock::Timeout=600',
  '--option=Dpkg::Use-Pty=0',
  '--option=Dpkg::Options::=--force-confdef',
  '--option=Dpkg::Options::=--force-confold',
] as const;

/** Runs one apt-get transaction, after mending one that was interrupted. */
export async function aptGet(args: readonly string[], host: Host): Promise<void> {
  await mendDpkg(host);
  try {
    await host.run(['apt-get', ...OPTIONS, ...args], { env: ENVIRONMENT, timeoutMs: TIMEOUT_MS });
  } finally {
    packagesChanged(host);
  }
}

/** Ends what an interrupted dpkg has left undone; apt-get refuses to do anything before that. */
async function mendDpkg(host: Host): Promise<void> {
  const updates = await host.list('/var/lib/dpkg/updates');
  const audit = await host.query(['dpkg', '--audit']);
  if ((updates ?? []).length === 0 && audit.stdout.trim() === '') return;
  const options = { env: ENVIRONMENT, timeoutMs: TIMEOUT_MS };
  await host.run(
    ['dpkg', '--force-confdef', '--force-confold', '--configure', '--pending'],
    options,
  );
  packagesChanged(host);
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

async function lastRefresh(host: HostView): Promise<number> {
  const remembered = Number((await host.recall(REFRESHED)) ?? 0);
  const stamps = ['/var/lib/apt/lists', '/var/lib/apt/lists/partial'];
  const names = await host.list('/var/lib/apt/lists');
  const isEmpty = !(names ?? []).some(
    (name) => name.includes('_Packages') || name.includes('Release'),
  );
  if (isEmpty) return 0;
  const times = await Promise.all(
    stamps.map(async (path) => (await host.status(path))?.mtimeMs ?? 0),
  );
  return Math.max(remembered, ...times);
}

async function sourcesChanged(host: HostView): Promise<number> {
  const directory = '/etc/apt/sources.list.d';
  const names = await host.list(directory);
  const paths = ['/etc/apt/sources.list', ...(names ?? []).map((name) => `${directory}/${name}`)];
  const times = await Promise.all(
    paths.map(async (path) => (await host.status(path))?.mtimeMs ?? 0),
  );
  return Math.max(...times);
}

/** Fetches the lists of the package sources, once a run however often it is asked for. */
export function refreshLists(host: Host): Promise<{ warnings: string }> {
  return host.shared('apt-lists', async () => {
    const argv = ['apt-get', ...OPTIONS, 'update'] as const;
    const { stderr } = await host.run(argv, { env: ENVIRONMENT, timeoutMs: TIMEOUT_MS });
    await host.remember(REFRESHED, String(Date.now()));
    return { warnings: stderr };
  });
}

/** Names that no package source knows. */
export function unknownPackages(names: readonly string[], warnings: string): ConductorError {
  return new ConductorError(
    'STATE_REFUSED',
    `Cannot install "${names.join('", "')}": no package source of this host has ${names.length === 1 ? 'it' : 'them'}`,
    warnings === '' ? {} : { output: warnings },
  );
}
