import { SECRET } from '../../../../shared/surroundings.ts';
import type { Settled } from '../../../../shared/surroundings.ts';
import type { TreeFile } from '../../../../shared/tree-file.ts';
import { said } from '../../lib/said.ts';
import { bounded } from '../../lib/bounded.ts';
import { SECRET_MODE } from '../../lib/secrecy.ts';
import type { RecurseArgs } from '../file-recurse-schema.ts';
import { ownersSettled, there } from '../../lib/settled.ts';
import { chooser } from './choose.ts';

/** The files of the source that are asked for, by where they go. */
export function filesOf(args: RecurseArgs): RecurseArgs['source']['files'] {
  return bounded(`choose the files for "${args.name}"`, () => chosen(args));
}

function chosen({
  source,
  include_pat: include,
  exclude_pat: exclude,
  maxdepth,
}: RecurseArgs): RecurseArgs['source']['files'] {
  const isIncluded = include.length === 0 ? () => true : chooser(include);
  const isExcluded = chooser(exclude);
  return source.files.filter(
    ({ to }) =>
      isIncluded(to) &&
      !isExcluded(to) &&
      (maxdepth === undefined || to.split('/').length <= maxdepth + 1),
  );
}

/** Which mode a file is to have; `keep` stands for that of the tree. */
export function modeFor(
  fileMode: string | undefined,
  { mode, isSecret }: TreeFile,
): string | undefined {
  if (fileMode === undefined && isSecret === true) return SECRET_MODE;
  return fileMode === 'keep' ? mode : fileMode;
}

/** What each of the files is to be. */
export function filesSettled(args: RecurseArgs): Settled {
  const settled = filesOf(args).map(({ to, file }) => {
    const owners = ownersSettled({
      ...said({ user: args.user, group: args.group, mode: modeFor(args.file_mode, file) }),
    });
    const content = args.replace ? file.sha256 : undefined;
    return there(`path:${args.name}/${to}`, {
      kind: 'file',
      content,
      [SECRET]: file.isSecret === true ? 'yes' : undefined,
      ...owners,
    });
  });
  return Object.assign({}, ...settled);
}
