import { posix } from 'node:path';
import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { packagesChanged } from '../lib/packages.ts';
import { parentsOf } from '../lib/resources.ts';
import { said } from '../lib/said.ts';
import { SECRET_MODE } from '../lib/secrecy.ts';
import { hasTaken, refuseConfiguration, replaceConfiguration } from '../lib/staged.ts';
import type { Replacement } from '../lib/staged.ts';
import type { Piece } from '../lib/rehearse.ts';
import { READ_SOURCES, areListsOld, refreshOne } from './lib/apt.ts';
import { describeKeyring, describeWantedKey, fetchKey } from './lib/repo-key.ts';
import {
  findIn,
  isDeb822,
  parseFile,
  readSourceFile,
  readSourceFiles,
  renderEntry,
  replaceIn,
  showEntry,
} from './lib/source-file.ts';
import type { SourceFile } from './lib/source-file.ts';
import { lookForReleases, notFetched } from './lib/release.ts';
import { loginsOf, ownLoginFile, repositoryOf } from './lib/repository.ts';
import { describeLogins, renderLogins, secretsOf, wantedLogin } from './lib/credentials.ts';
import type { SourceEntry } from './lib/source-entry.ts';
import type { Repository } from './lib/repository.ts';
import { managedSchema } from './pkgrepo-schema.ts';
import type { ManagedArgs } from './pkgrepo-schema.ts';

type Source = {
  /** The entry as it stands in its file. */
  content: string;
  /** What is in its keyring. */
  key?: string;
  /** How the file with its logins is; `null` if there is none of ours. */
  login?: string | null;
  /** Other .list files that hold the same source. */
  elsewhere: readonly string[];
  /** Nothing else stands in its file. */
  alone: boolean;
  /** Its lists have been fetched; not so if a run was killed before that. */
  fetched: boolean;
};

const APT = '/etc/apt';
const PUBLIC =
  'everybody reads the sources of apt; only a name and password in the address (https://NAME:PASSWORD@…) go to a file of their own';
/** What the registry says from the moment that a source stands in its file until its lists are there. */
const BEGUN = 'begun';

async function read(args: ManagedArgs, host: HostView): Promise<Source | null> {
  const { file, entry, keyring, logins } = repositoryOf(args);
  const files = await readSourceFiles(host);
  const own = files.find(({ path }) => path === file) ?? (await readSourceFile(file, host));
  const found = findIn(own, entry);
  const elsewhere = otherFiles(files, file, args).map(({ path }) => path);
  if (found.length === 0 && elsewhere.length === 0) return null;
  const key = (await describeKeyring(args, keyring, host)) ?? undefined;
  return {
    content: found.map((one) => showEntry(file, one)).join(''),
    ...said({ key }),
    login: await describeLogins(ownLoginFile(args), logins, host),
    elsewhere,
    alone: own.parts.every(({ entry: one }) => one !== null && found.includes(one)),
    fetched: !(await hasTaken(host, markOf(file, entry), BEGUN)),
  };
}

/** Files in the one-line form, other than its own, in which the same source stands. */
function otherFiles(
  files: readonly SourceFile[],
  file: string,
  args: ManagedArgs,
): readonly SourceFile[] {
  const { entry } = repositoryOf(args);
  return files.filter(
    (one) => one.path !== file && !isDeb822(one.path) && findIn(one, entry).length > 0,
  );
}

async function want(args: ManagedArgs, host: HostView): Promise<Partial<Source>> {
  const { file, entry, logins } = repositoryOf(args);
  const key = (await describeWantedKey(args, host)) ?? undefined;
  return {
    content: renderEntry(file, entry),
    ...said({ key }),
    ...(await wantedLogin(ownLoginFile(args), logins, host)),
    elsewhere: [],
    ...(args.clean_file ? { alone: true } : {}),
    ...(mustFetch(args) ? { fetched: true } : {}),
  };
}

/** Whether apt can read its sources with this one among them, and the server has anything for it. */
async function refuses(change: Change<Source>, args: ManagedArgs, host: HostView): Promise<void> {
  const pieces = await sourcePieces(args, host);
  await refuseConfiguration({ ...placeOf(args), pieces, check: READ_SOURCES }, host);
  const { entry, logins } = repositoryOf(args);
  if (mustFetch(args) && logins.length === 0 && isElsewhere(change))
    await lookForReleases(entry, host);
}

function isElsewhere(change: Change<Source>): boolean {
  if (change.action === 'remove') return false;
  return change.to.content !== undefined || change.to.fetched !== undefined;
}

function placeOf({ name }: ManagedArgs): Pick<Replacement, 'what' | 'directory'> {
  return { what: `the package source "${name}"`, directory: APT };
}

async function apply(args: ManagedArgs, host: Host): Promise<void> {
  const repository = repositoryOf(args);
  const { file, entry } = repository;
  const wereOld = await areListsOld({}, host);
  const key = await keyPieces(args, repository, host);
  const pieces = await sourcePieces(args, host);
  if (repository.logins.length > 0) await needDirectory(posix.dirname(ownLoginFile(args)), host);
  await replaceConfiguration(host, {
    ...placeOf(args),
    pieces: new Map([...key, ...pieces]),
    check: null,
    mark: markOf(file, entry),
    pending: BEGUN,
    taken: null,
    async take() {
      packagesChanged(host);
      if (!mustFetch(args)) return;
      const { error, warnings } = await refreshOne(file, { wereOld }, host);
      if (error !== null) throw notFetched(warnings);
    },
    async takeBack() {
      packagesChanged(host);
    },
  });
}

function mustFetch(args: ManagedArgs): boolean {
  return repositoryOf(args).entry.isEnabled && (args.refresh_db ?? args.refresh);
}

function markOf(file: string, entry: SourceEntry): string {
  return `pkgrepo:${file}:${entry.uris.join(' ')} ${entry.suites.join(' ')}`;
}

/** The keyring, if it is to be another; one that is not below /etc/apt is put in place at once. */
async function keyPieces(
  args: ManagedArgs,
  { keyring }: Repository,
  host: Host,
): Promise<readonly (readonly [string, Piece])[]> {
  if ((await describeWantedKey(args, host)) === (await describeKeyring(args, keyring, host)))
    return [];
  const content = await fetchKey(args, host);
  await needDirectory(posix.dirname(keyring), host);
  if (keyring.startsWith(`${APT}/`)) return [[keyring, fileOf(content)]];
  await host.writeFile(keyring, content, { user: 'root', group: 'root', mode: '0644' });
  return [];
}

/** All files of sources that the change is about. */
async function sourcePieces(
  args: ManagedArgs,
  host: HostView,
): Promise<ReadonlyMap<string, Piece>> {
  const { file, entry, logins } = repositoryOf(args);
  const pieces = new Map<string, Piece>();
  const login = ownLoginFile(args);
  if (logins.length > 0)
    pieces.set(login, { kind: 'file', content: renderLogins(logins), mode: SECRET_MODE });
  else if ((await describeLogins(login, logins, host)) !== null) pieces.set(login, null);
  const own = args.clean_file ? parseFile(file, '') : await readSourceFile(file, host);
  pieces.set(file, fileOf(replaceIn(own, entry, entry)));
  for (const other of otherFiles(await readSourceFiles(host), file, args)) {
    const rest = replaceIn(other, entry, null);
    const isKept = rest !== '' || other.path === `${APT}/sources.list`;
    pieces.set(other.path, isKept ? fileOf(rest) : null);
  }
  return pieces;
}

function fileOf(content: string | Uint8Array): Piece {
  return { kind: 'file', content, mode: '0644' };
}

async function needDirectory(path: string, host: Host): Promise<void> {
  if ((await host.status(path)) !== null) return;
  await host.makeDirectory(path, { user: 'root', group: 'root', mode: '0755' });
}

export const pkgrepoManaged = defineState<ManagedArgs, Source>({
  name: 'pkgrepo.managed',
  schema: managedSchema,
  example: `docker packages:
  pkgrepo.managed:
    name: deb [arch=amd64] https://download.docker.com/linux/debian bookworm stable
    key_url: https://download.docker.com/linux/debian/gpg
    key_hash: sha256=1500c1f56fa9e26b9b8f42452a553675796ade0807cdce11975eb98170b3a570

backports:
  pkgrepo.managed:
    uris: https://deb.debian.org/debian
    suites: bookworm-backports
    comps: main
    signedby: /usr/share/keyrings/debian-archive-keyring.gpg
`,
  treeFiles: ['key_url'],
  textAttribute: 'content',
  publishesAt: (args, [argument = '']) =>
    ['name', 'uris'].includes(argument) && loginsOf(args).length > 0 ? null : PUBLIC,
  secretsIn: (args) => secretsOf(loginsOf(args)),
  provides: (args) => [`path:${repositoryOf(args).file}`],
  writes: (args) => [ownLoginFile(args)],
  needs: (args) => {
    const { file, entry } = repositoryOf(args);
    const { key_url: url } = args;
    const paths = [entry.options.get('signed-by'), typeof url === 'string' ? url : undefined];
    const given = paths.filter((path) => path?.startsWith('/') === true);
    return [...parentsOf(file), ...given.map((path) => `path:${path}`)];
  },
  read,
  want,
  refuses,
  apply: (_change, args, host) => apply(args, host),
});
