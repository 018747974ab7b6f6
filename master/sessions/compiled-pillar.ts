import { createHash } from 'node:crypto';
import { compilePillar, pillarToWire, type PillarValue } from '../../language/pillar.ts';
import type { Tree } from '../../language/tree.ts';
import type { Pillar } from '../../protocol/run-request.ts';
import { canonicalJson } from '../../shared/canonical-json.ts';

/** What only the master can do with a pillar. */
export interface PillarKeys {
  /** Opens a sealed text; throws SEALED_VALUE. */
  readonly unseal: (sealed: string) => string;
  /**
   * Hex; gives secrets their fingerprints in what is told of one minion. Each has its own: whoever is
   * root on one can try no guesses on the fingerprints of another.
   */
  readonly fingerprintKeyOf: (minion: string) => string;
}

export interface PillarOwner {
  readonly id: string;
  readonly groups: readonly string[];
}

/** The pillar of one minion, as it is sent to that minion alone. Throws TREE_INVALID. */
export function wirePillar(tree: Tree, minion: PillarOwner, keys: PillarKeys): Pillar {
  const { value } = compilePillar({ tree, minion, unseal: keys.unseal });
  const wire = { ...pillarToWire(value), fingerprintKey: keys.fingerprintKeyOf(minion.id) };
  return { id: sha256(canonicalJson(wire)), ...wire };
}

/** The pillar of one minion for use on the master. Throws TREE_INVALID. */
export function pillarOf(tree: Tree, minion: PillarOwner, keys: PillarKeys): PillarValue {
  return compilePillar({ tree, minion, unseal: keys.unseal }).value;
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
