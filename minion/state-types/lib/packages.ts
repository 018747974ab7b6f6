import { posix } from 'node:path';
import { ConductorError } from '../../../shared/errors.ts';
import type { Argv, FileStatus, Host, HostView, Output } from '../../host/host.ts';

/** One package as dpkg knows it. */
export interface Package {
  readonly version: string;
  readonly isHeld: boolean;
}

/** What is installed. */
export interface Packages {
  /** By name, and by name:architecture. Only those that are installed whole. */
  readonly installed: ReadonlyMap<string, Package>;
  /** What is there in part: half installed, or removed but for its configuration files. */
  readonly partial: ReadonlyMap<string, { version: string; isConfigurationOnly: boolean }>;
}

const FIELDS = ['Package', 'Architecture', 'Version', 'db:Status-Abbrev'];

/** Everything installed: one query a run, until `changed('packages')`. */
export function readPackages(host: HostView): Promise<Packages> {
  return host.shared('packages', async () => parsePackages(await dpkgQuery(FIELDS, host)));
}

/** Who provides each name that need not be a package of its own, such as `mail-transport-agent`. */
export function readProvided(host: HostView): Promise<ReadonlyMap<string, string>> {
  return host.shared('packages provided', async () => {
    const fields = ['Package', 'db:Status-Abbrev', 'Provides'];
    return parseProvided(await dpkgQuery(fields, host));
  });
}

async function dpkgQuery(fields: readonly string[], host: HostView): Promise<string> {
  const format = `${fields.map((field) => `\${${field}}`).join('\t')}\n`;
  const answer = await host.query(['dpkg-query', '--show', `--showformat=${format}`]);
  if (answer.exitCode === 0) return answer.stdout;
  throw new ConductorError(
    'STATE_REFUSED',
    `Cannot read the installed packages: dpkg-query exits with ${answer.exitCode}`,
    { output: answer.stderr },
  );
}

/** The second letter of a status is the state: installed, or waiting for triggers only. */
const INSTALLED = /^.[iWt]/u;

export function parsePackages(text: string): Packages {
  const installed = new Map<string, Package>();
  const partial = new Map<string, { version: string; isConfigurationOnly: boolean }>();
  for (const line of text.split('\n')) {
    const [name = '', architecture = '', version = '', status = ''] = line.split('\t');
    if (!INSTALLED.test(status)) {
      if (/^.[cHUF]/u.test(status))
        partial.set(name, { version, isConfigurationOnly: status[1] === 'c' });
      continue;
    }
    const entry = { version, isHeld: status.startsWith('h') };
    if (!installed.has(name)) installed.set(name, entry);
    installed.set(`${name}:${architecture}`, entry);
  }
  return { installed, partial };
}

export function parseProvided(text: string): ReadonlyMap<string, string> {
  const provided = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name = '', status = '', provides = ''] = line.split('\t');
    if (!INSTALLED.test(status)) continue;
    for (const [virtual] of provides.matchAll(/(?<=^|, )[^\s,(]+/gu)) provided.set(virtual, name);
  }
  return provided;
}

const TOPICS = [
  'locales',
  'packages',
  'packages provided',
  'packages to upgrade',
  'packages to upgrade in place',
  'services',
  'accounts',
  'groups',
  'shadow',
  'debconf',
  'alternatives',
];

/** Says that packages, and all that they bring along, are to be read again. */
export function packagesChanged(host: Host): void {
  for (const topic of TOPICS) host.changed(topic);
}

/**
 * apt takes its cache for good if dpkg's status has the same size and second as before, so that two changes within a
 * second can hide one another: it is read anew instead.
 */
export const UNCACHED = '--option=Dir::Cache::pkgcache=';

/** What apt's answers depend on: these, and in the directories of its configuration each file. */
const STATES = ['/var/lib/dpkg/status', '/var/lib/dpkg/updates', '/var/lib/apt/lists'];
const CONFIGURATION = ['apt.conf.d', 'preferences.d', 'sources.list.d', ''].map((name) =>
  posix.join('/etc/apt', name),
);

/** Asks apt something; it writes nothing. */
export type AskApt = (argv: Argv) => Promise<Output>;

/** One answer of apt for as long as neither packages nor lists nor its configuration change. */
export async function sharedOfApt<T>(
  topic: string,
  host: HostView,
  load: (ask: AskApt) => Promise<T>,
): Promise<T> {
  const statuses = await statusesOfApt(host);
  const times = statuses.map((status) => status?.ctimeMs ?? 'none').join(' ');
  return host.shared(`apt: ${topic} (${times})`, () => load(askerFor(statuses, host)));
}

/** Who asks apt, as its configuration can be read. */
export async function askerOfApt(host: HostView): Promise<AskApt> {
  return askerFor(await statusesOfApt(host), host);
}

async function statusesOfApt(host: HostView): Promise<readonly (FileStatus | null)[]> {
  const files = await Promise.all(CONFIGURATION.map((directory) => filesIn(directory, host)));
  return Promise.all([...STATES, ...files.flat()].map((path) => host.status(path)));
}

function askerFor(statuses: readonly (FileStatus | null)[], host: HostView): AskApt {
  const isForAll = statuses.every((status) => status === null || isReadByAll(status));
  return (argv) => (isForAll ? askAsNobody(argv, host) : askAsRoot(argv, host));
}

/** Where a link leads is not looked at. */
function isReadByAll({ kind, mode }: FileStatus): boolean {
  return kind !== 'symlink' && (Number.parseInt(mode, 8) & 0o004) !== 0;
}

/** Root's apt brings its cache up to date, and whoever looks must not write. */
function askAsNobody(argv: Argv, host: HostView): Promise<Output> {
  return host.query(argv, { user: 'nobody' });
}

/** Only root reads all of its configuration: it is asked where it can write neither its cache nor its log. */
function askAsRoot(argv: Argv, host: HostView): Promise<Output> {
  return host.query(argv, { readOnly: ['/var/cache/apt', '/var/log/apt'] });
}

async function filesIn(directory: string, host: HostView): Promise<readonly string[]> {
  const names = (await host.list(directory)) ?? [];
  return names.map((name) => posix.join(directory, name));
}

/** What apt would install of each package, of that release if one is named; a name that no source knows is left out. */
export function candidates(
  names: readonly string[],
  host: HostView,
  { release = null }: { readonly release?: string | null } = {},
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (names.length === 0) return Promise.resolve(new Map());
  const topic = `policy of ${release ?? 'any release'}: ${names.join(' ')}`;
  return sharedOfApt(topic, host, (ask) => policy(names, release, ask));
}

async function policy(
  names: readonly string[],
  release: string | null,
  ask: AskApt,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const from = release === null ? [] : [`--option=APT::Default-Release=${release}`];
  const answer = await ask(['apt-cache', UNCACHED, ...from, 'policy', ...names]);
  return parsePolicy(answer.stdout);
}

/** By name: the candidate first, then every other version there is. */
export function parsePolicy(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const paragraph of text.split(/^(?=\S)/mu)) {
    const name = /^(\S+):\n/u.exec(paragraph)?.[1];
    const candidate = /^ {2}Candidate: (\S+)$/mu.exec(paragraph)?.[1];
    if (name === undefined || candidate === undefined || candidate === '(none)') continue;
    const all = [...paragraph.matchAll(/^ (?:\*\*\*| {3}) (\S+) \d+$/gmu)].map(
      ([, one = '']) => one,
    );
    found.set(name, [...new Set([candidate, ...all])]);
  }
  return found;
}
