import { said } from '../../lib/said.ts';
import type { DirectoryArgs } from '../file-directory-schema.ts';
import type { BelowArgs } from './below.ts';

/** Whether what is below it has to have something as well. */
export function asksRecursion({ recurse }: DirectoryArgs): boolean {
  return recurse.some((what) => what === 'user' || what === 'group' || what === 'mode');
}

/** What a recursion gives. */
export function belowArgs(args: DirectoryArgs): BelowArgs {
  const { recurse, user, group, mode, dir_mode: dirMode = mode, file_mode: files } = args;
  const has = (what: DirectoryArgs['recurse'][number]): boolean => recurse.includes(what);
  return said({
    user: has('user') ? user : undefined,
    group: has('group') ? group : undefined,
    dirMode: has('mode') ? dirMode : undefined,
    fileMode: has('mode') ? files : undefined,
    elsewhere: args.elsewhere,
    secretFiles: args.secretFiles,
    ignored: [
      ...(has('ignore_files') ? ['file' as const] : []),
      ...(has('ignore_dirs') ? ['directory' as const] : []),
    ],
  });
}

/** Owners and permissions of the directory itself. */
export function ownersArgs({ user, group, mode, dir_mode: dirMode = mode }: DirectoryArgs) {
  return said({ user, group, mode: dirMode });
}
