import type { Requisite, RequisiteKind } from './declaration.ts';

/** What ordering needs to know of a declaration. */
export interface Sortable {
  readonly key: string;
  readonly order: number | 'first' | 'last' | null;
  readonly requisites: readonly Requisite[];
}

/** Who must come before whom, by key. */
export type Edges = ReadonlyMap<string, readonly string[]>;

const AUTOMATIC = 10_000;
const LAST = 1_000_000;
const ROOM = 100;

/** A `listen` only looks at the end of the run: it orders nothing. */
const UNORDERED: ReadonlySet<RequisiteKind> = new Set(['listen']);

/** Definition order, changed only by `order` as in Salt: `first`, `last`, numbers, from the end. */
export function definitionOrder<Item extends Sortable>(items: readonly Item[]): readonly Item[] {
  const numbers = items.flatMap(({ order }) => (typeof order === 'number' ? [order] : []));
  const cap = Math.max(AUTOMATIC + items.length, ...numbers) + ROOM;
  const ranked = items.map((item, index) => ({ item, index, rank: rankOf(item, index, cap) }));
  return ranked.toSorted((a, b) => a.rank - b.rank || a.index - b.index).map(({ item }) => item);
}

function rankOf({ order }: Sortable, index: number, cap: number): number {
  if (order === null) return AUTOMATIC + index;
  if (order === 'first') return 0;
  if (order === 'last') return cap + LAST;
  return order < 0 ? cap + LAST + order : order;
}

/** For each declaration those that must come before it, by its requisites. */
export function edgesOf(items: readonly Sortable[]): Map<string, string[]> {
  const edges = new Map<string, string[]>(items.map(({ key }) => [key, []]));
  for (const { key, requisites } of items) {
    for (const [later, earlier] of requisites.flatMap((one) => pairsOf(key, one))) {
      edges.get(later)?.push(earlier);
    }
  }
  return edges;
}

function pairsOf(key: string, { kind, targets }: Requisite): (readonly [string, string])[] {
  if (UNORDERED.has(kind)) return [];
  return targets.map((target) => (kind === 'prereq' ? [target, key] : [key, target]));
}

/**
 * Walks the given order; what must come before a declaration is put before it. There must be no
 * cycle.
 */
export function walk<Item extends Sortable>(items: readonly Item[], edges: Edges): Item[] {
  const byKey = new Map(items.map((item) => [item.key, item]));
  const placed = new Set<string>();
  const ordered: Item[] = [];
  const open = items.toReversed();
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const missing = (edges.get(top.key) ?? []).find((key) => !placed.has(key) && byKey.has(key));
    const next = missing === undefined ? undefined : byKey.get(missing);
    if (next !== undefined) {
      open.push(next);
      continue;
    }
    open.pop();
    if (!placed.has(top.key)) ordered.push(top);
    placed.add(top.key);
  }
  return ordered;
}

/** What is left when all that depends on nothing, or that nothing depends on, is taken away. */
export function tangled(edges: Edges): ReadonlySet<string> {
  const left = peel(new Set(edges.keys()), edges);
  return left.size === 0 ? left : peel(left, reversed(edges));
}

function peel(keys: ReadonlySet<string>, edges: Edges): ReadonlySet<string> {
  const left = new Set(keys);
  const dependents = reversed(edges);
  const count = new Map<string, number>();
  for (const key of left) count.set(key, targetsIn(edges, key, left).length);
  const free = [...left].filter((key) => count.get(key) === 0);
  for (let key = free.pop(); key !== undefined; key = free.pop()) {
    left.delete(key);
    for (const dependent of targetsIn(dependents, key, left)) {
      const remaining = (count.get(dependent) ?? 0) - 1;
      count.set(dependent, remaining);
      if (remaining === 0) free.push(dependent);
    }
  }
  return left;
}

function targetsIn(edges: Edges, key: string, keys: ReadonlySet<string>): readonly string[] {
  return (edges.get(key) ?? []).filter((target) => keys.has(target));
}

function reversed(edges: Edges): Edges {
  const result = new Map<string, string[]>([...edges.keys()].map((key) => [key, []]));
  for (const [key, targets] of edges) {
    for (const target of targets) result.get(target)?.push(key);
  }
  return result;
}

/** The loops of a graph, one for each knot: keys in the order in which each needs the next. */
export function findCycles(edges: Edges): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const seen = new Set<string>();
  const knot = tangled(edges);
  for (const start of knot) {
    const path: string[] = [];
    let key: string | undefined = start;
    while (key !== undefined && !seen.has(key)) {
      seen.add(key);
      path.push(key);
      key = targetsIn(edges, key, knot)[0];
    }
    const from = key === undefined ? -1 : path.indexOf(key);
    if (from >= 0) cycles.push(path.slice(from));
  }
  return cycles;
}

/** Whether one can be reached from the other within some keys. */
export function reaches(
  edges: Edges,
  { from, to, within }: { from: string; to: string; within: ReadonlySet<string> },
): boolean {
  const seen = new Set([from]);
  const open = [from];
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (key === to) return true;
    for (const target of targetsIn(edges, key, within)) {
      if (!seen.has(target)) open.push(target);
      seen.add(target);
    }
  }
  return false;
}
