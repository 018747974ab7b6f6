import type { Lint } from './lint-context.ts';
import { expand, missingFile, readTop } from '../top.ts';
import { namedFiles, type Folder } from '../states/tree-files.ts';

/** Looks through a top file: targets, and that every file it names is there. */
export function lintTop({ tree, problems }: Pick<Lint, 'tree' | 'problems'>, folder: Folder): void {
  const known = namedFiles(tree, folder);
  for (const { files } of readTop(tree, folder, problems) ?? []) {
    for (const file of files.flatMap((one) => expand(one, known))) {
      if (!known.has(file.name)) missingFile(file, { known, folder, problems });
    }
  }
}
