import { isMapping, type Data, type DataMapping } from '../values/data.ts';
import type { Place } from '../place.ts';
import { NO_PROVENANCE, type Provenance } from '../pillars/provenance.ts';
import type { Link, Problems } from '../problem.ts';
import type { Part } from './syntax-tree.ts';

/** What expressions can name at some place, and how one got there. */
export interface Scope {
  readonly names: ReadonlyMap<string, Data>;
  readonly chain: readonly Link[];
}

/** What one compilation shares: where mistakes go, and what was found on the way. */
export interface Workshop {
  readonly problems: Problems;
  readonly allocatePort: (name: string) => number;
  /** Every port that was asked for, by name. */
  readonly ports: Map<string, number>;
  /** Texts that must never be shown. */
  readonly secrets: Set<string>;
  readonly provenance: Provenance;
  /** Where what the expression under way has looked up was set. */
  readonly trail: Place[];
  /** Expressions that have been read once. */
  readonly syntax: Map<string, readonly Part[]>;
}

export function workshop(
  problems: Problems,
  allocatePort: Workshop['allocatePort'] = () => 0,
  provenance: Provenance = NO_PROVENANCE,
): Workshop {
  return {
    problems,
    allocatePort,
    provenance,
    trail: [],
    ports: new Map(),
    secrets: new Set(),
    syntax: new Map(),
  };
}

/** The same scope with more names, which hide others, and perhaps a step more in the chain. */
export function extend(scope: Scope, names: Iterable<readonly [string, Data]>, link?: Link): Scope {
  return {
    names: new Map([...scope.names, ...names]),
    chain: link === undefined ? scope.chain : [link, ...scope.chain],
  };
}

/** Inside blocks: the item, and the names that the block binds; outermost is the scope. */
export interface Frame {
  readonly self: Data | undefined;
  readonly names: ReadonlyMap<string, Data>;
  readonly loop: ReadonlyMap<string, Data>;
  readonly parent: Frame | null;
  /** Any name may be missing under `default`, not only what is below one. */
  readonly isOpen: boolean;
}

export function rootFrame(
  names: ReadonlyMap<string, Data>,
  { isOpen }: { isOpen: boolean },
): Frame {
  return { self: undefined, names, loop: new Map(), parent: null, isOpen };
}

export function itemFrame(
  parent: Frame,
  self: Data,
  names: readonly (readonly [string, Data])[],
  loop: readonly (readonly [string, Data])[],
): Frame {
  return { self, names: new Map(names), loop: new Map(loop), parent, isOpen: true };
}

/** A name as seen from a frame: what a block binds, then its item, then outwards. */
export function findName(frame: Frame, name: string): Data | undefined {
  for (let at: Frame | null = frame; at !== null; at = at.parent) {
    const bound = at.names.get(name);
    if (bound !== undefined) return bound;
    if (isMapping(at.self) && Object.hasOwn(at.self, name)) return at.self[name];
  }
  return undefined;
}

/** Everything that could have been meant at a frame. */
export function namesIn(frame: Frame): string[] {
  const here = [...frame.names.keys(), ...(isMapping(frame.self) ? Object.keys(frame.self) : [])];
  return frame.parent === null ? here : [...here, ...namesIn(frame.parent)];
}

export function rootNames(frame: Frame): DataMapping {
  return frame.parent === null ? Object.fromEntries(frame.names) : rootNames(frame.parent);
}
