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
  /** It writes to /tmp, whatever TMPDIR says, so it gets an empty one of its own. */
  readonly hasOwnTmp?: boolean;
}

/**
 * What a program answers if a directory were already as it is to be. Nothing is written: it sees a copy of the directory
 * that is in memory, at the directory's path, and that nobody else sees.
 */
export async function rehearse(rehearsal: Rehearsal, host: HostView): Promise<Output> {
  const { directory, check, hasOwnTmp = false } = rehearsal;
  const { steps, input } = stepsOf(rehearsal);
  const alone: Argv = ['unshare', '--mount', '--propagation=private', 'sh', '-c', STAGE, 'sh'];
  const tmp = hasOwnTmp ? 'own' : 'shared';
  const argv: Argv = [...alone, directory, tmp, ...steps, 'check', ...check];
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
 * over it, which this one process alone sees.
 */
const STAGE = `set -e
directory=$1
tmp=$2
shift 2
cd -- "$directory"
mount -t tmpfs -o mode=0700 conductor "$directory"
cp --archive -- . "$directory"
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
mount -t tmpfs -o mode=1777 conductor /dev/shm
export TMPDIR=/dev/shm
echo staged
exec "$@" </dev/null
`;
