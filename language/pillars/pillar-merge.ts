import { isDeepStrictEqual } from 'node:util';
import { describe, isList, isMapping, type Data, type DataMapping } from '../values/data.ts';
import { evaluateKey, evaluateNode } from '../expression.ts';
import { dataOf, isBroken, type Entry, type MappingNode, type Node } from '../values/node.ts';
import { forgetOrigin, noteOrigin, type Origins } from './pillar-origin.ts';
import type { Problems } from '../problem.ts';
import type { Scope, Workshop } from '../expressions/scope.ts';
import { hint } from '../values/hint.ts';

/** A mapping that is being filled. */
export type Growing = { [name: string]: Data };

export interface Merge {
  readonly workshop: Workshop;
  readonly scope: Scope;
  readonly origins: Origins;
  readonly problems: Problems;
}

/** Key by key in the author's order, so that a value can refer to any that stands before it. */
export function mergeMapping(into: Growing, node: MappingNode, merge: Merge, path: string): void {
  for (const entry of node.entries) {
    const keyNode = evaluateKey(entry, merge.scope, merge.workshop);
    if (keyNode === null) continue;
    const key = keyNode.value;
    const step = { into, key, entry, merge, path: path === '' ? key : `${path}.${key}` };
    if (/^\+./u.test(key)) append({ ...step, ...target(key, path) });
    else if (/^-./u.test(key)) remove({ ...step, ...target(key, path) });
    else set(step);
  }
}

function target(marked: string, path: string): { key: string; path: string } {
  const key = marked.slice(1);
  return { key, path: path === '' ? key : `${path}.${key}` };
}

interface Step {
  readonly into: Growing;
  readonly key: string;
  readonly entry: Entry;
  readonly merge: Merge;
  readonly path: string;
}

function set({ into, key, entry: { value: node }, merge, path }: Step): void {
  const present = Object.hasOwn(into, key) ? into[key] : undefined;
  if (node.kind === 'mapping') {
    if (!isMapping(present)) noteOrigin(merge.origins, path, node.place);
    const below: Growing = isMapping(present) ? { ...present } : {};
    into[key] = below;
    mergeMapping(below, node, merge, path);
    return;
  }
  const computed = evaluateNode(node, merge.scope, merge.workshop);
  if (isBroken(computed)) return;
  const data = dataOf(computed);
  into[key] = isMapping(data) && isMapping(present) ? mergeData(present, data) : data;
  noteOrigin(merge.origins, path, node.place);
}

/** A mapping that an expression gave merges as one that is written out. */
function mergeData(present: DataMapping, data: DataMapping): DataMapping {
  const merged: Growing = { ...present };
  for (const [key, value] of Object.entries(data)) {
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    merged[key] = isMapping(before) && isMapping(value) ? mergeData(before, value) : value;
  }
  return merged;
}

function append(step: Step): void {
  const { into, key, entry, merge, path } = step;
  const items = evaluated(step);
  if (items === null) return;
  const present = Object.hasOwn(into, key) ? into[key] : [];
  if (!isList(present) || !isList(items)) {
    const what = isList(items)
      ? `"${key}" is ${describe(present ?? null)}`
      : `got ${describe(items)}`;
    merge.problems.add(
      entry.keyNode.place,
      `"+${key}" appends a list to a list: ${what}`,
      merge.scope,
    );
    return;
  }
  into[key] = [...present, ...items];
  noteOrigin(merge.origins, path, entry.value.place);
}

function evaluated({ entry: { value }, merge }: Step): Data | null {
  const node: Node = evaluateNode(value, merge.scope, merge.workshop);
  return isBroken(node) ? null : dataOf(node);
}

/** Items of a list, keys of a mapping, or with nothing behind it the whole value. */
function remove(step: Step): void {
  const { into, key, entry, merge, path } = step;
  const present = Object.hasOwn(into, key) ? into[key] : undefined;
  if (present === undefined) return absent(step, key, Object.keys(into));
  if (entry.value.kind === 'scalar' && entry.value.value === null) {
    delete into[key];
    return forgetOrigin(merge.origins, path);
  }
  const value = evaluated(step);
  if (value === null) return;
  const unwanted = isList(value) ? value : [value];
  const known = isMapping(present) ? Object.keys(present) : textsIn(present);
  for (const item of unwanted.filter((one) => !isIn(present, one))) {
    absent(step, typeof item === 'string' ? item : describe(item), known);
  }
  into[key] = without(present, unwanted);
  noteOrigin(merge.origins, path, entry.value.place);
}

function textsIn(data: Data): readonly string[] {
  return isList(data) ? data.filter((item) => typeof item === 'string') : [];
}

function isIn(present: Data, item: Data): boolean {
  if (isList(present)) return present.some((member) => isDeepStrictEqual(member, item));
  return isMapping(present) && typeof item === 'string' && Object.hasOwn(present, item);
}

function without(present: Data, unwanted: readonly Data[]): Data {
  if (isList(present)) {
    return present.filter((item) => !unwanted.some((other) => isDeepStrictEqual(item, other)));
  }
  if (!isMapping(present)) return present;
  const left = Object.entries(present).filter(([name]) => !unwanted.includes(name));
  return Object.fromEntries(left);
}

function absent({ entry, merge, key }: Step, name: string, known: readonly string[]): void {
  merge.problems.add(entry.keyNode.place, `"-${key}" removes "${name}", which is not there`, {
    help: hint(name, known, null),
    chain: merge.scope.chain,
  });
}
