import type { Draft } from './draft.ts';
import { treeDirectoryOf, treeFileOf, type Using } from './sources.ts';
import type { StateSchema } from '../state-schema.ts';
import { type Entry, type Node } from '../values/node.ts';

/** The files and directories of the tree that arguments name; `null` for what could not be had. */
export function filesFor(
  draft: Draft,
  { schema, entries }: { readonly schema: StateSchema; readonly entries: readonly Entry[] },
  using: Using,
): ReadonlyMap<string, unknown> {
  const files = new Map<string, unknown>();
  for (const { key, value } of entries) {
    if (schema.treeFiles?.includes(key)) files.set(key, treeFileOf(draft, value, using));
    if (schema.treeFileLists?.includes(key)) files.set(key, listOf(draft, value, using));
    if (schema.treeDirectories?.includes(key)) {
      files.set(key, treeDirectoryOf(draft, value, using));
    }
  }
  return files;
}

/** Each file of a list, or the only one; `null` if one could not be had. */
function listOf(draft: Draft, node: Node, using: Using): unknown {
  if (node.kind !== 'sequence') return treeFileOf(draft, node, using);
  const files = node.items.map((item) => treeFileOf(draft, item, using));
  return files.includes(null) ? null : files;
}
