import type { Problems } from '../problem.ts';
import { describeNode, type Entry, type Node } from './node.ts';
import { isSaltFile } from './yaml-source.ts';

/** `<<` merges in Salt's files only: what a file of ours says stands where one reads it. */
export function isMergeKey(key: Node, file: string): boolean {
  return key.kind === 'scalar' && key.value === '<<' && isSaltFile(file);
}

/** What is written out wins over what is merged, and of several mappings the first. */
export function mergeInto(
  entries: Map<string, Entry>,
  merged: readonly Node[],
  problems: Problems,
): void {
  const parts = merged.flatMap((node) => (node.kind === 'sequence' ? node.items : [node]));
  for (const part of parts) {
    if (part.kind !== 'mapping' && part.kind !== 'broken') {
      problems.add(part.place, `"<<" merges mappings, got ${describeNode(part)}`);
    }
  }
  for (const entry of parts.flatMap((part) => (part.kind === 'mapping' ? part.entries : []))) {
    if (!entries.has(entry.key)) entries.set(entry.key, entry);
  }
}
