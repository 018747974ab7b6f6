import { entryOf, type MappingNode, type Node } from '../values/node.ts';
import type { StateFile } from '../state-file.ts';
import { isSaltFile } from '../values/yaml-source.ts';

/** The names in an `include`, as they are written. */
export function includedNodes(include: Node | null): readonly Node[] {
  if (include === null) return [];
  const items = include.kind === 'sequence' ? include.items : [include];
  return items.flatMap((item) => {
    const node =
      item.kind === 'mapping' ? (entryOf(item, 'file') ?? entryOf(item, 'base'))?.value : item;
    return node === undefined ? [] : [node];
  });
}

/**
 * `.site` is a sibling: in the same folder as the including file; each further dot is one up. `a.init`
 * is what `a` is when that is a folder.
 */
export function absoluteName(
  name: string,
  { name: own, path }: Pick<StateFile, 'name' | 'path'>,
): string {
  const dots = /^\.*/u.exec(name)?.[0].length ?? 0;
  if (dots === 0) return name.replace(/\.init$/u, '');
  const folder = /\/init\.[a-z]+$/u.test(path) ? own.split('.') : own.split('.').slice(0, -1);
  const parts = [...folder.slice(0, folder.length - dots + 1), name.slice(dots)];
  return parts.join('.').replace(/\.init$/u, '');
}

/** Salt's `- base: a.b`: the file of an environment, of which there is one. `null` for anything else. */
export function inBase(item: MappingNode, { path }: Pick<StateFile, 'path'>): Node | null {
  const [entry, second] = item.entries;
  const isOne = entry?.key === 'base' && second === undefined && isSaltFile(path);
  return isOne ? entry.value : null;
}
