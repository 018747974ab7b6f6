import { Secret } from '../../shared/secret.ts';
import { describe, isList, isMapping, reveal, type Data, type Scalar } from './data.ts';
import type { Place } from '../place.ts';

/** A value that knows where its author wrote it. */
export type Node = ScalarNode | SequenceNode | MappingNode | BrokenNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly place: Place;
  readonly value: Scalar | Secret;
  /** `!sealed`: the value is the sealed text. */
  readonly sealed?: true;
  /** Where a character of a text stands in the file. */
  readonly at?: (offset: number) => Place;
  /** Where what it was computed from was set. */
  readonly from?: readonly Place[];
}

export interface SequenceNode {
  readonly kind: 'sequence';
  readonly place: Place;
  readonly items: readonly Node[];
  readonly from?: readonly Place[];
}

export interface MappingNode {
  readonly kind: 'mapping';
  readonly place: Place;
  readonly entries: readonly Entry[];
  readonly from?: readonly Place[];
}

export interface Entry {
  readonly key: string;
  readonly keyNode: ScalarNode;
  readonly value: Node;
}

/** Stands where a value could not be had; why has been reported. */
export interface BrokenNode {
  readonly kind: 'broken';
  readonly place: Place;
}

/**
 * Gives plain data the place it was computed at. `trail` says where it was set; what is below knows
 * better by itself, if its part was set elsewhere.
 */
export function lift(data: Data, place: Place, origin: LiftOrigin = NOWHERE): Node {
  const { trail, ofPart } = origin;
  const from = trail.length === 0 ? {} : { from: trail };
  const below = (key: string, value: Data) => {
    const own = ofPart(data, key);
    return lift(value, place, own === null ? origin : { trail: [own], ofPart });
  };
  if (isList(data)) {
    const items = data.map((item, index) => below(String(index), item));
    return { kind: 'sequence', place, items, ...from };
  }
  if (!isMapping(data)) return { kind: 'scalar', place, value: data, ...from };
  const entries = Object.entries(data).map(([key, value]) => ({
    key,
    keyNode: { kind: 'scalar' as const, place, value: key },
    value: below(key, value),
  }));
  return { kind: 'mapping', place, entries, ...from };
}

interface LiftOrigin {
  readonly trail: readonly Place[];
  readonly ofPart: (container: Data, key: string) => Place | null;
}

const NOWHERE: LiftOrigin = { trail: [], ofPart: () => null };

/** The plain data of a node; what is broken is `null`. */
export function dataOf(node: Node): Data {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'sequence') return node.items.map(dataOf);
  if (node.kind === 'broken') return null;
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, dataOf(value)]));
}

/** The same with what secrets hold. */
export function revealedData(node: Node): Data {
  if (node.kind === 'scalar') return node.value instanceof Secret ? reveal(node.value) : node.value;
  if (node.kind === 'sequence') return node.items.map(revealedData);
  if (node.kind === 'broken') return null;
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, revealedData(value)]));
}

export function isBroken(node: Node): boolean {
  if (node.kind === 'sequence') return node.items.some(isBroken);
  if (node.kind === 'mapping') return node.entries.some(({ value }) => isBroken(value));
  return node.kind === 'broken';
}

export function entryOf(mapping: MappingNode, key: string): Entry | null {
  return mapping.entries.find((entry) => entry.key === key) ?? null;
}

/** The text of a scalar that is one; `null` for anything else. */
export function textOf(node: Node): string | null {
  return node.kind === 'scalar' && typeof node.value === 'string' ? node.value : null;
}

/** What a node is, in the words of an error message. */
export function describeNode(node: Node): string {
  if (node.kind === 'sequence') return 'a list';
  if (node.kind === 'mapping') return 'a mapping';
  return node.kind === 'broken' ? 'nothing' : describe(node.value);
}
