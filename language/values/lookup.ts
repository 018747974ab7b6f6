import { describe, isList, isMapping, type Data } from './data.ts';
import { findName, namesIn, rootNames, type Frame } from '../expressions/scope.ts';
import { SpotMistake, type Path } from '../expressions/syntax-tree.ts';
import { hint } from './hint.ts';
import type { Place } from '../place.ts';
import type { Provenance } from '../pillars/provenance.ts';

/** What a path names; a SpotMistake if any part of it is not there. */
export function lookup(path: Path, frame: Frame): Data {
  const { value, rest } = start(path, frame);
  if (value === undefined) throw unknownName(path, frame);
  return rest.reduce<Data>((data, part, index) => {
    const below = child(data, part);
    if (below === undefined) throw unknownPart(path, data, path.parts.length - rest.length + index);
    return below;
  }, value);
}

/** Where what a path names was set; `null` if nobody knows. */
export function placeOf(path: Path, frame: Frame, provenance: Provenance): Place | null {
  const { value, rest } = start(path, frame);
  const last = rest.at(-1);
  if (last === undefined) return provenance.ofWhole(value);
  const container = rest
    .slice(0, -1)
    .reduce<Data | undefined>(
      (data, part) => (data === undefined ? data : child(data, part)),
      value,
    );
  return provenance.ofPart(container, last);
}

/** The same, but `undefined` if it is not there; a name that nobody can mean is still a mistake. */
export function lookupIfThere(path: Path, frame: Frame): Data | undefined {
  const { value, rest } = start(path, frame);
  if (value === undefined && !frame.isOpen) throw unknownName(path, frame);
  return rest.reduce<Data | undefined>(
    (data, part) => (data === undefined ? undefined : child(data, part)),
    value,
  );
}

interface Start {
  readonly value: Data | undefined;
  readonly rest: readonly string[];
}

function start(path: Path, frame: Frame): Start {
  const [name, ...rest] = path.parts;
  if (path.isLoopName) return { value: loopValue(frame, name ?? ''), rest };
  const from = ancestor(path, frame);
  if (name === undefined || path.isThis) {
    const self = from.self ?? (from.parent === null ? rootNames(from) : undefined);
    return { value: self, rest: path.parts };
  }
  return { value: findName(from, name), rest };
}

function loopValue(frame: Frame, name: string): Data | undefined {
  if (name === 'root') return rootNames(frame);
  for (let at: Frame | null = frame; at !== null; at = at.parent) {
    const value = at.loop.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function ancestor(path: Path, frame: Frame): Frame {
  let at = frame;
  for (let steps = path.up; steps > 0; steps -= 1) {
    if (at.parent === null) throw new SpotMistake(path.spot, `"${path.original}" leads outside`);
    at = at.parent;
  }
  return at;
}

function child(data: Data, part: string): Data | undefined {
  if (isMapping(data)) return Object.hasOwn(data, part) ? data[part] : undefined;
  return isList(data) && /^\d+$/u.test(part) ? data[Number(part)] : undefined;
}

function unknownName(path: Path, frame: Frame): SpotMistake {
  const name = path.isLoopName ? `@${path.parts[0] ?? ''}` : (path.parts[0] ?? path.original);
  const known = [...new Set(namesIn(frame))];
  const help = hint(name, known, inScope(known));
  return new SpotMistake(path.spot, `"${name}" is not defined`, OTHERWISE.get(name) ?? help);
}

const OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['facts', 'facts come from the minion, which may lie: no pillar may depend on them'],
  ['grains', 'grains are called facts here: {{ facts.os }}'],
]);

function inScope(known: readonly string[]): string {
  return `defined here are ${known.join(', ')}`;
}

function unknownPart(path: Path, parent: Data, index: number): SpotMistake {
  const name = path.parts[index] ?? '';
  const before = path.parts.slice(0, index);
  const isPlain = path.original === path.parts.join('.');
  const shift = isPlain ? before.join('.').length + 1 : 0;
  const spot = { line: path.spot.line, column: path.spot.column + shift };
  const owner = before.length === 0 ? 'the item' : `"${before.join('.')}"`;
  if (!isMapping(parent)) {
    const message = `${owner} is ${describe(parent)}, so it has no "${name}"`;
    return new SpotMistake(spot, message, null, parent);
  }
  const help = hint(
    name,
    Object.keys(parent),
    `if it may be absent, write {{default ${path.original} …}}`,
  );
  return new SpotMistake(spot, `${owner} has no "${name}"`, help, parent);
}
