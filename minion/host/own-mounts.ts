import type { Argv, CommandOptions } from './host.ts';

type OwnMounts = Pick<CommandOptions, 'inMemory' | 'readOnly'>;

/** The same program where some of its directories are others, for itself and what it starts alone. Only root can. */
export function withOwnMounts(argv: Argv, { inMemory = '', readOnly = [] }: OwnMounts): Argv {
  if (inMemory === '' && readOnly.length === 0) return argv;
  const alone = ['/usr/bin/unshare', '--mount', '--propagation=private'] as const;
  return [...alone, '/bin/sh', '-c', MOUNTS, 'sh', inMemory, ...readOnly, '--', ...argv];
}

/** A fixed text; what varies comes in as arguments. */
const MOUNTS = `set -e
[ -z "$1" ] || mount -t tmpfs -o mode=1777 conductor "$1"
shift
while [ "$1" != -- ]; do
  [ ! -d "$1" ] || { mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"; }
  shift
done
shift
exec "$@"`;
