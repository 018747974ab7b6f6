import type { Catalog } from '../../language/declaration.ts';
import type { PillarValue } from '../../language/pillar.ts';
import { namesAddressed, needLine } from '../../language/targets/addressed.ts';
import type { Tree } from '../../language/tree.ts';
import type { DataMapping } from '../../language/values/data.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';

interface Known {
  readonly tree: Tree;
  readonly facts: DataMapping;
  readonly pillar: PillarValue;
}

/**
 * That nothing is declared may be meant, if a line of the top file is for this minion. Throws NOTHING_DECLARED if none
 * is: then its groups or the top file are wrong, and a run that ends well would say that all is well. Groups that were
 * given by hand must stand in a top file.
 */
export function needAddress(
  { minion, options }: RunRequest,
  { declarations }: Catalog,
  { tree, facts, pillar }: Known,
): void {
  if (options.cause === 'local') needKnownGroups(tree, minion.groups);
  if (declarations.length > 0 || options.stateFiles.length > 0) return;
  needLine(tree, { ...minion, facts, pillar });
}

/** A group that gives neither states nor data is misspelt. Throws NOT_FOUND. */
function needKnownGroups(tree: Tree, groups: readonly string[]): void {
  const names = namesAddressed(tree);
  const unknown = names === null ? undefined : groups.find((group) => !names.has(group));
  if (names === null || unknown === undefined) return;
  throw new ConductorError(
    'NOT_FOUND',
    `Cannot apply as a member of "${unknown}": no top file of the tree names this group${didYouMean(unknown, names)}`,
  );
}
