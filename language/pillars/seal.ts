import { ConductorError } from '../../shared/errors.ts';
import { Secret } from '../../shared/secret.ts';
import type { MappingNode, Node } from '../values/node.ts';
import type { Link, Problems } from '../problem.ts';

/** Opens one sealed text; throws SEALED_VALUE if it cannot, with what to do in its detail `help` if that is known. */
export type Unseal = (sealed: string) => string;

interface Opening {
  readonly unseal: Unseal | null;
  readonly problems: Problems;
  readonly chain: readonly Link[];
}

/** Puts a `Secret` in place of every `!sealed` text of a pillar file. */
export function unsealNode(node: MappingNode, opening: Opening): MappingNode {
  const entries = node.entries.map((entry) => ({ ...entry, value: open(entry.value, opening) }));
  return { ...node, entries };
}

function open(node: Node, opening: Opening): Node {
  if (node.kind === 'mapping') return unsealNode(node, opening);
  if (node.kind === 'sequence') {
    return { ...node, items: node.items.map((item) => open(item, opening)) };
  }
  if (node.kind === 'broken' || node.sealed !== true) return node;
  const { unseal, problems, chain } = opening;
  if (unseal === null) return { ...node, value: new Secret('sealed') };
  try {
    return { ...node, value: new Secret(unseal(String(node.value))) };
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    const { help: remedy } = error.details;
    const help =
      typeof remedy === 'string' ? remedy : 'seal the value anew with this master: master seal';
    problems.add(node.place, error.message, { help, chain });
    return { kind: 'broken', place: node.place };
  }
}
