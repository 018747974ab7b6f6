import type { Draft } from './draft.ts';
import { treeDirectoryOf, treeFileOf, type Using } from './sources.ts';
import type { StateSchema } from '../state-schema.ts';
import type { Entry } from '../values/node.ts';

/** The files and directories of the tree that arguments name; `null` for what could not be had. */
export function filesFor(
  draft: Draft,
  { schema, entries }: { readonly schema: StateSchema; readonly entries: readonly Entry[] },
  using: Using,
): ReadonlyMap<string, unknown> {
  const files = new Map<string, unknown>();
  for (const { key, value } of entries) {
    if (schema.treeFiles?.includes(key)) files.set(key, treeFileOf(draft, value, using));
    if (schema.treeDirectories?.includes(key)) {
      files.set(key, treeDirectoryOf(draft, value, using));
    }
  }
  return files;
}
