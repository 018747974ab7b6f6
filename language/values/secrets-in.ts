import { Secret } from '../../shared/secret.ts';
import type { Node, ScalarNode } from './node.ts';

/** A secret within a value. */
export interface FoundSecret {
  readonly path: readonly string[];
  readonly node: ScalarNode;
}

/** All secrets in a value, in the order in which they stand there. */
export function secretsIn(node: Node): readonly FoundSecret[] {
  const found: FoundSecret[] = [];
  collect(node, [], found);
  return found;
}

function collect(node: Node, path: readonly string[], found: FoundSecret[]): void {
  if (node.kind === 'scalar') {
    if (node.value instanceof Secret) found.push({ path, node });
  } else if (node.kind === 'sequence') {
    for (const [index, item] of node.items.entries())
      collect(item, [...path, String(index)], found);
  } else if (node.kind === 'mapping') {
    for (const { key, value } of node.entries) collect(value, [...path, key], found);
  }
}
