import type { Argv, HostView, Output } from '../../host/host.ts';

/** What becomes of one path. */
export type Step = { readonly path: string } & (
  | { readonly kind: 'nothing' }
  | { readonly kind: 'symlink'; readonly to: string }
  | {
      readonly kind: 'file';
      readonly content: Uint8Array;
      readonly mode: string;
      readonly user?: string;
      readonly group?: string;
    }
);

interface Rehearsal {
  readonly directory: string;
  readonly steps: readonly Step[];
  readonly check: Argv;
}

/**
 * What a program answers if a directory were already as it is to be. It sees that at the real path, and nobody else
 * does: the copy is in memory, in a mount namespace of its own.
 */
export async function rehearse(
  { directory, steps, check }: Rehearsal,
  host: HostView,
): Promise<Output> {
  const contents = steps.map((step) => (step.kind === 'file' ? step.content : new Uint8Array()));
  const argv: Argv = ['unshare', '--mount', '--propagation=private', 'sh', '-c', AS_IT_WOULD_BE];
  return host.query([...argv, 'sh', directory, ...steps.flatMap(wordsOf), '', ...check], {
    input: Buffer.concat(contents),
  });
}

/** Five words: the path, what it is, how long or where to, its owners and its mode. */
function wordsOf(step: Step): readonly string[] {
  const { path, kind } = step;
  if (kind === 'nothing') return [path, kind, '', '', ''];
  if (kind === 'symlink') return [path, kind, step.to, '', ''];
  const { content, user = 'root', group = 'root', mode } = step;
  return [path, kind, String(content.byteLength), `${user}:${group}`, mode];
}

/**
 * A fixed text; what varies comes in as arguments, and contents one after the other by the input. The copy is in memory
 * and seen by this one process only.
 */
const AS_IT_WOULD_BE = `set -e
umask 077
mount --bind -- "$1" /media
mount -t tmpfs tmpfs "$1"
cp --archive -- /media/. "$1"
umount /media
shift
while [ -n "$1" ]; do
  rm -rf -- "$1"
  mkdir -p -m 0755 -- "$(dirname -- "$1")"
  case "$2" in
    symlink) ln -s -- "$3" "$1" ;;
    file) head -c "$3" > "$1"; chown -- "$4" "$1"; chmod -- "$5" "$1" ;;
  esac
  shift 5
done
shift
exec "$@" < /dev/null`;
