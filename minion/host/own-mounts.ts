import type { Argv, CommandOptions } from './host.ts';

type OwnMounts = Pick<CommandOptions, 'inMemory' | 'readOnly'>;

/** The same program where some of its directories are others, for itself and what it starts alone. Only root can. */
export function withOwnMounts(argv: Argv, { inMemory = '', readOnly = '' }: OwnMounts): Argv {
  if (inMemory === '' && readOnly === '') return argv;
  const alone = ['/usr/bin/unshare', '--mount', '--propagation=private'] as const;
  return [...alone, '/bin/sh', '-c', MOUNTS, 'sh', inMemory, readOnly, ...argv];
}

/** A fixed text; what varies comes in as arguments. */
const MOUNTS = `set -e
[ -z "$1" ] || mount -t tmpfs -o mode=1777 conductor "$1"
[ -z "$2" ] || { mount --bind "$2" "$2" && mount -o remount,bind,ro "$2"; }
shift 2
exec "$@"`;
