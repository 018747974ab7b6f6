import { isList, isMapping, type Data, type DataMapping } from '../values/data.ts';
import type { MappingNode, Node, SequenceNode } from '../values/node.ts';
import type { Place } from '../place.ts';
import type { Link } from '../problem.ts';
import type { Origin } from './pillar-origin.ts';

/** Where the values of a pillar were set: in which file, and in which line of it. */
export interface Provenance {
  /** Of a list or mapping itself. */
  readonly ofWhole: (data: Data | undefined) => Place | null;
  /** Of what a mapping has below a key, or a list at an index. */
  readonly ofPart: (container: Data | undefined, key: string) => Place | null;
  /** `data` is a copy of what `node` holds: it came from where the node says. */
  readonly carry: (node: Node, data: Data) => void;
}

/** Nothing is known of any value. */
export const NO_PROVENANCE: Provenance = {
  ofWhole: () => null,
  ofPart: () => null,
  carry: () => undefined,
};

/** Knows a pillar's values by the lists and mappings they stand in: expressions hand these on as they are. */
export function provenanceOf(
  pillar: Data,
  origins: ReadonlyMap<string, Pick<Origin, 'place'>>,
): Provenance {
  const wholes = new WeakMap<object, Place>();
  const parts = new WeakMap<object, ReadonlyMap<string, Place>>();

  function visit(data: Data, path: string, inherited: Place | null): void {
    if (!isList(data) && !isMapping(data)) return;
    if (inherited !== null) wholes.set(data, inherited);
    const known = new Map<string, Place>();
    parts.set(data, known);
    for (const [key, value] of Object.entries(data)) {
      const below = path === '' ? key : `${path}.${key}`;
      const place = origins.get(below)?.place ?? inherited;
      if (place !== null) known.set(key, place);
      visit(value, below, place);
    }
  }

  function carry(node: Node, data: Data): void {
    if (node.kind !== 'mapping' && node.kind !== 'sequence') return;
    const whole = firstOf(node);
    if (!isContainer(data) || whole === null) return;
    wholes.set(data, whole);
    const known = new Map<string, Place>();
    parts.set(data, known);
    for (const [key, below] of partsOf(node)) {
      const place = firstOf(below);
      if (place !== null) known.set(key, place);
      carry(below, partOf(data, key));
    }
  }

  visit(pillar, '', null);
  return {
    carry,
    ofWhole: (data) => (isContainer(data) ? (wholes.get(data) ?? null) : null),
    ofPart: (data, key) => (isContainer(data) ? (parts.get(data)?.get(key) ?? null) : null),
  };
}

function firstOf(node: Node): Place | null {
  return ('from' in node ? node.from[0] : null) ?? null;
}

function partOf(data: readonly Data[] | DataMapping, key: string): Data {
  return (isList(data) ? data[Number(key)] : data[key]) ?? null;
}

function partsOf(node: MappingNode | SequenceNode): readonly (readonly [string, Node])[] {
  if (node.kind === 'mapping') return node.entries.map(({ key, value }) => [key, value] as const);
  return node.items.map((item, index) => [String(index), item] as const);
}

function isContainer(data: Data | undefined): data is readonly Data[] | DataMapping {
  return isList(data) || isMapping(data);
}

/** How a problem tells it. */
export function cameFrom(places: readonly Place[] = []): readonly Link[] {
  return places.map((place) => ({ words: 'came from', place }));
}
