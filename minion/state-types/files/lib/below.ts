import type { Argv, FileStatus, Host, HostView } from '../../../host/host.ts';
import { gidOf, uidOf } from '../../lib/accounts.ts';
import { said } from '../../lib/said.ts';

/** What all that is below a directory is to have. */
export interface BelowArgs {
  readonly path: string;
  readonly user?: string;
  readonly group?: string;
  readonly dirMode?: string;
  readonly fileMode?: string;
  /** 0 is only what is directly in the directory. */
  readonly maxDepth?: number;
}

/** One thing below a directory that has another owner or mode than it should. */
interface Stray {
  readonly path: string;
  readonly kind: FileStatus['kind'];
  readonly mode: string;
  readonly owner: string;
}

const MOST_SHOWN = 20;
const MOST_LOOKS = 1000;

/** What differs below a directory, as lines for a person; the host's own `find` looks. */
export async function strays(args: BelowArgs, host: HostView): Promise<string[]> {
  const unknown = await unknownOwner(args, host);
  if (unknown !== null) return [`all: there is no ${unknown} yet`];
  const found = await findStrays(args, host);
  const shown = found
    .slice(0, MOST_SHOWN)
    .map(({ path, owner, mode }) => `${path.slice(args.path.length + 1)}: ${owner} ${mode}`);
  const more = found.length - shown.length;
  return more > 0 ? [...shown, `and at least ${more} more`] : shown;
}

async function unknownOwner({ user, group }: BelowArgs, host: HostView): Promise<string | null> {
  if (user !== undefined && (await uidOf(user, host)) === null) return `user "${user}"`;
  if (group !== undefined && (await gidOf(group, host)) === null) return `group "${group}"`;
  return null;
}

async function findStrays(args: BelowArgs, host: HostView): Promise<Stray[]> {
  const tests = await testsFor(args, host);
  if (tests.length === 0) return [];
  const depth = args.maxDepth === undefined ? [] : ['-maxdepth', String(args.maxDepth + 1)];
  const condition = tests.flatMap((test, index) => (index === 0 ? test : ['-o', ...test]));
  const print = ['-printf', String.raw`%y %m %u:%g %p\0`];
  const argv: Argv = [
    'find',
    args.path,
    '-mindepth',
    '1',
    ...depth,
    '(',
    ...condition,
    ')',
    ...print,
  ];
  const { raw } = await host.query(argv);
  return parseFound(Buffer.from(raw).toString('utf8'));
}

async function testsFor(args: BelowArgs, host: HostView): Promise<string[][]> {
  const { user, group, dirMode, fileMode } = args;
  return [
    ...(user === undefined ? [] : [['!', '-uid', String(await uidOf(user, host))]]),
    ...(group === undefined ? [] : [['!', '-gid', String(await gidOf(group, host))]]),
    ...(dirMode === undefined ? [] : [['-type', 'd', '!', '-perm', dirMode]]),
    ...(fileMode === undefined ? [] : [['-type', 'f', '!', '-perm', fileMode]]),
  ];
}

/** A very long answer comes with its middle left out: what is cut in two there is no entry. */
const LEFT_OUT = /\n\[… \d+ bytes left out …\]\n/u;

export function parseFound(text: string): Stray[] {
  return text.split('\0').flatMap((entry) => {
    const found = /^(\S) (\S+) (\S+) (.+)$/su.exec(entry);
    if (found === null || LEFT_OUT.test(entry)) return [];
    const [, letter, mode = '', owner = '', path = ''] = found;
    return [{ path, kind: kindOf(letter), mode: mode.padStart(4, '0'), owner }];
  });
}

function kindOf(letter: string | undefined): FileStatus['kind'] {
  if (letter === 'd') return 'directory';
  if (letter === 'f') return 'file';
  return letter === 'l' ? 'symlink' : 'other';
}

/**
 * Gives everything below a directory its owners and modes. `chown` itself goes down a tree without
 * ever following a link that somebody puts in its way; `chmod` does not, so modes go through the host.
 */
export async function ownBelow(args: BelowArgs, host: Host): Promise<void> {
  const { path, user, group, maxDepth } = args;
  if (maxDepth === undefined && (user ?? group) !== undefined) {
    const owner = `${user ?? ''}${group === undefined ? '' : `:${group}`}`;
    await host.run(['chown', '--recursive', '--no-dereference', '-P', '--', owner, path]);
  }
  // Each look shows only so much of a very large tree.
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const left = await findStrays(args, host);
    if (left.length === 0) return;
    for (const stray of left) await own(stray, args, host);
  }
}

async function own({ path, kind }: Stray, args: BelowArgs, host: Host): Promise<void> {
  const { user, group, dirMode, fileMode } = args;
  const modes = { directory: dirMode, file: fileMode, symlink: undefined, other: undefined };
  await host.own(path, said({ user, group, mode: modes[kind] }));
}
