import type { Change } from '../../../shared/change.ts';
import { defineState } from '../../engine/state-type.ts';
import type { Host, HostView } from '../../host/host.ts';
import { packagesChanged } from '../lib/packages.ts';
import { refuseConfiguration, replaceConfiguration } from '../lib/staged.ts';
import type { Piece } from '../lib/rehearse.ts';
import { READ_SOURCES } from './lib/apt.ts';
import { findIn, isDeb822, readSourceFiles, replaceIn, showEntry } from './lib/source-file.ts';
import type { SourceFile } from './lib/source-file.ts';
import { describeLogins, hideLogins, secretsOf } from './lib/credentials.ts';
import { fileOf, loginsOf, ownKeyringOf, ownLoginFile, placeOf } from './lib/repository.ts';
import { absentSchema } from './pkgrepo-schema.ts';
import type { AbsentArgs } from './pkgrepo-schema.ts';

type Left = {
  /** By file, the entries that are to go. */
  sources: Readonly<Record<string, string>>;
  /** The keyring that nothing else needs; `null` if there is none. */
  keyring: string | null;
  /** The file with its logins; `null` if there is none. */
  login: string | null;
};

/** A file without what is to go; `null` is nothing that is left of it. */
interface Removal {
  readonly path: string;
  readonly gone: string;
  readonly rest: string | null;
}

async function removals(args: AbsentArgs, host: HostView): Promise<readonly Removal[]> {
  const files = await readSourceFiles(host);
  const place = placeOf(args);
  return files.flatMap((file) => {
    if (args.file !== undefined && file.path !== args.file) return [];
    if (place === null) return file.path === fileOf(args) ? [whole(file)] : [];
    const found = findIn(file, place);
    if (found.length === 0) return [];
    const gone = found.map((entry) => showEntry(file.path, entry)).join('');
    const rest = replaceIn(file, place, null);
    const isKept = rest !== '' || file.path === '/etc/apt/sources.list';
    return [{ path: file.path, gone, rest: isKept ? rest : null }];
  });
}

function whole({ path, parts }: SourceFile): Removal {
  return {
    path,
    gone: hideLogins(parts.map(({ text }) => text).join(isDeb822(path) ? '\n\n' : '\n')),
    rest: null,
  };
}

async function read(args: AbsentArgs, host: HostView): Promise<Left | null> {
  const found = await removals(args, host);
  const keyring = await unusedKeyring(args, found, host);
  const file = ownLoginFile(args);
  const login = (await describeLogins(file, [], host)) === null ? null : file;
  if (found.length === 0 && keyring === null && login === null) return null;
  const sources = Object.fromEntries(found.map(({ path, gone }) => [path, gone]));
  return { sources, keyring, login };
}

/** Its own keyring, if it is there and no source that stays is signed with it. */
async function unusedKeyring(
  args: AbsentArgs,
  found: readonly Removal[],
  host: HostView,
): Promise<string | null> {
  const path = ownKeyringOf(args);
  if (!args.keyring || (await host.status(path)) === null) return null;
  const rests = new Map(found.map((one) => [one.path, one.rest ?? '']));
  const files = await readSourceFiles(host);
  const isUsed = files.some((file) => {
    const text = rests.get(file.path) ?? file.parts.map((part) => part.text).join('\n');
    return text.includes(path);
  });
  return isUsed ? null : path;
}

async function changeOf(change: Change<Left>, args: AbsentArgs, host: HostView) {
  const pieces = new Map<string, Piece>();
  for (const { path, rest } of await removals(args, host)) {
    pieces.set(path, rest === null ? null : { kind: 'file', content: rest, mode: '0644' });
  }
  const { keyring, login } = change.action === 'remove' ? change.from : NOTHING;
  for (const path of [keyring, login]) if (path !== null) pieces.set(path, null);
  return { what: `the package sources without "${args.name}"`, directory: '/etc/apt', pieces };
}

const NOTHING = { keyring: null, login: null };

/** Whether apt can read the sources that are left. */
async function refuses(change: Change<Left>, args: AbsentArgs, host: HostView): Promise<void> {
  await refuseConfiguration({ ...(await changeOf(change, args, host)), check: READ_SOURCES }, host);
}

async function apply(change: Change<Left>, args: AbsentArgs, host: Host): Promise<void> {
  const forget = async (): Promise<void> => packagesChanged(host);
  await replaceConfiguration(host, {
    ...(await changeOf(change, args, host)),
    check: null,
    mark: `pkgrepo:${ownKeyringOf(args)}`,
    taken: null,
    take: forget,
    takeBack: forget,
  });
}

export const pkgrepoAbsent = defineState<AbsentArgs, Left>({
  name: 'pkgrepo.absent',
  schema: absentSchema,
  example: `no packages of others:
  pkgrepo.absent:
    name: deb https://download.example.com/debian stable main
`,
  secretsIn: (args) => secretsOf(loginsOf(args)),
  read,
  want: () => null,
  refuses,
  apply,
});
