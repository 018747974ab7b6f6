import { ConductorError } from '../../../../shared/errors.ts';
import type { HostView } from '../../../host/host.ts';
import { ask } from '../../lib/ask.ts';

/** One file or directory with its access list. */
export interface AclNode {
  readonly path: string;
  readonly inode: string;
  readonly isDirectory: boolean;
  /** Whether anybody may run it. */
  readonly isProgram: boolean;
  /** The login name of its owner, or the number if it has none. */
  readonly owner: string;
  /** Such as `user:dana` to `r-x`; the owner's is `user:`. */
  readonly entries: ReadonlyMap<string, string>;
}

/** How an entry is called in `entries`. */
export function entryName(entry: string): string {
  return /^(?:default:)?(?:mask|other):$/u.test(entry) ? entry.slice(0, -1) : entry;
}

const MASKED = /^(?<mark>(?:default:)?)(?:user:.|group:)/u;

/** What an entry permits: all but its owner's and everybody else's are bounded by the mask. `null` without one. */
export function permittedBy({ entries }: AclNode, entry: string): string | null {
  const perms = entries.get(entry) ?? null;
  const mark = MASKED.exec(entry)?.groups?.['mark'];
  const mask = mark === undefined ? undefined : entries.get(`${mark}mask`);
  if (perms === null || mask === undefined) return perms;
  return [...perms].map((one, at) => (mask[at] === one ? one : '-')).join('');
}

/** A path, and with `recurse` all below it; links are left out. Nothing if the path is not there. */
export async function readAclTree(
  path: string,
  { recurse }: { readonly recurse: boolean },
  host: HostView,
): Promise<readonly AclNode[]> {
  const status = await host.status(path);
  if (status?.kind !== 'file' && status?.kind !== 'directory') return [];
  const depth = recurse ? [] : (['-maxdepth', '0'] as const);
  const format = String.raw`%y %D:%i %m %u %p\0`;
  const found = await ask(
    host,
    ['find', '-P', path, ...depth, '(', '-type', 'f', '-o', '-type', 'd', ')', '-printf', format],
    `look at what is below "${path}"`,
  );
  const lists = await accessLists(path, recurse, host);
  return found
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => nodeOf(line, lists));
}

function nodeOf(line: string, lists: ReadonlyMap<string, ReadonlyMap<string, string>>): AclNode {
  const [, kind = '', inode = '', mode = '', owner = '', path = ''] =
    /^(?<kind>.) (?<inode>\S+) (?<mode>\d+) (?<owner>\S+) (?<path>.*)$/su.exec(line) ?? [];
  const isProgram = (Number.parseInt(mode, 8) & 0o111) !== 0;
  return {
    path,
    inode,
    isDirectory: kind === 'd',
    isProgram,
    owner,
    entries: lists.get(path) ?? new Map(),
  };
}

async function accessLists(
  path: string,
  recurse: boolean,
  host: HostView,
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const how = [
    '--absolute-names',
    '--no-effective',
    ...(recurse ? ['--recursive', '--physical'] : []),
  ];
  const answer = await host.query(['getfacl', ...how, '--', path]);
  if (answer.exitCode === 0) return parseAccessLists(answer.stdout);
  const why =
    answer.exitCode === 127 ? 'this host has no getfacl (package acl)' : answer.stderr.trim();
  throw new ConductorError('STATE_REFUSED', `Cannot read the access list of "${path}": ${why}`);
}

/** What getfacl prints, by path. */
export function parseAccessLists(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const lists = new Map<string, ReadonlyMap<string, string>>();
  for (const block of text.split(/\n\n+/u)) {
    const lines = block.split('\n');
    const file = lines.find((line) => line.startsWith('# file: '));
    if (file === undefined) continue;
    const entries = lines.flatMap((line) => {
      const { entry, perms } = /^(?<entry>[a-z].*):(?<perms>[rwx-]{3})/u.exec(line)?.groups ?? {};
      return entry === undefined || perms === undefined
        ? []
        : [[entryName(unescaped(entry)), perms] as const];
    });
    lists.set(unescaped(file.slice('# file: '.length)), new Map(entries));
  }
  return lists;
}

/** getfacl shows some bytes as three octal digits, and a backslash twice. */
function unescaped(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const plain = bytes.replaceAll(/\\(?<what>[0-7]{3}|\\)/gu, (_all, what: string) =>
    what === '\\' ? what : String.fromCodePoint(Number.parseInt(what, 8)),
  );
  return Buffer.from(plain, 'latin1').toString('utf8');
}
