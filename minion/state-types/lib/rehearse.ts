import type { Argv, HostView, Output } from '../../host/host.ts';
import { failed } from './ask.ts';

/** One file or link of a configuration; `null` is none at all. */
export type Piece =
  | {
      readonly kind: 'file';
      readonly content: string | Uint8Array;
      readonly mode: string;
      /** Whose it is; root's if absent. */
      readonly user?: string;
      readonly group?: string;
    }
  | { readonly kind: 'symlink'; readonly to: string }
  | null;

/** A change of a directory, and who is asked about it. */
export interface Rehearsal {
  readonly directory: string;
  /** By path below the directory; put in place in this order. */
  readonly pieces: ReadonlyMap<string, Piece>;
  readonly check: Argv;
  /** Nothing but the pieces is in the copy. */
  readonly isFresh?: boolean;
  /** It writes to /tmp, whatever TMPDIR says, so it gets an empty one of its own. */
  readonly hasOwnTmp?: boolean;
}

/** Memory that every host has. */
export const IN_MEMORY = '/dev/shm';

/** Mounts of its own, and processes: whatever the check has started, and however, ends with it. */
const SPACES = ['--mount', '--propagation=private', '--pid', '--fork', '--kill-child'] as const;
const ALONE = ['unshare', ...SPACES] as const;

/**
 * What a program answers if a directory were already as it is to be. Nothing is written: it sees a copy of the directory
 * that is in memory, at the directory's path, and that nobody else sees.
 */
export async function rehearse(rehearsal: Rehearsal, host: HostView): Promise<Output> {
  const { directory, check, hasOwnTmp = false, isFresh = false } = rehearsal;
  const { steps, input } = stepsOf(rehearsal);
  const how = [hasOwnTmp ? 'own' : 'shared', isFresh ? 'fresh' : 'copied'];
  const argv: Argv = [
    ...ALONE,
    'sh',
    '-c',
    STAGE,
    'sh',
    directory,
    ...how,
    ...steps,
    'check',
    ...check,
  ];
  const output = await host.query(argv, { input });
  if (!output.stdout.startsWith(STAGED)) throw failed(`stage "${directory}"`, argv, output);
  return { ...output, stdout: output.stdout.slice(STAGED.length) };
}

/** What is to be done in the copy, as words; contents follow one another on standard input. */
function stepsOf({ directory, pieces }: Rehearsal): {
  readonly steps: readonly string[];
  readonly input: Uint8Array;
} {
  const contents: Uint8Array[] = [];
  const steps = [...pieces].flatMap(([path, piece]) => {
    const below = path.slice(directory.length + 1);
    if (piece === null) return ['nothing', below];
    if (piece.kind === 'symlink') return ['link', below, piece.to];
    const { user = 'root', group = 'root', mode } = piece;
    const content = Buffer.from(piece.content);
    contents.push(content);
    return ['file', below, `${user}:${group}`, mode, String(content.length)];
  });
  return { steps, input: Buffer.concat(contents) };
}

const STAGED = 'staged\n';

/**
 * A fixed text; what varies comes in as arguments. Whoever stands in a directory still sees it when another is mounted
 * over it, which this one process alone sees. What systemd-analyze would note of its look, it cannot. It waits for the check: the first process of a space of its own is spared
 * signals that any other one would end by.
 */
const STAGE = `set -e
directory=$1
tmp=$2
content=$3
shift 3
cd -- "$directory"
mount -t tmpfs -o mode=0700 conductor "$directory"
[ "$content" = fresh ] || cp --archive -- . "$directory"
cd -- "$directory"
while [ "$1" != check ]; do
  rm --recursive --force -- "./$2"
  case $1 in
    nothing) shift 2 ;;
    link)
      mkdir --parents -- "$(dirname -- "./$2")"
      ln --symbolic -- "$3" "./$2"
      shift 3 ;;
    file)
      mkdir --parents -- "$(dirname -- "./$2")"
      head --bytes="$5" >"./$2"
      chown -- "$3" "./$2"
      chmod -- "$4" "./$2"
      shift 5 ;;
  esac
done
shift
cd /
[ "$tmp" = shared ] || mount -t tmpfs -o mode=1777 conductor /tmp
[ ! -d /run/systemd ] || { mount --bind /run/systemd /run/systemd && mount -o remount,bind,ro /run/systemd; }
[ "$directory" = ${IN_MEMORY} ] || mount -t tmpfs -o mode=1777 conductor ${IN_MEMORY}
export TMPDIR=${IN_MEMORY}
echo staged
"$@" </dev/null
exit $?
`;
