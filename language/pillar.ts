import { Secret } from '../shared/secret.ts';
import { isList, isMapping, reveal, type Data, type DataMapping } from './values/data.ts';
import { describeNode, type MappingNode } from './values/node.ts';
import { mergeMapping, type Growing, type Merge } from './pillars/pillar-merge.ts';
import type { Origin, Origins } from './pillars/pillar-origin.ts';
import { checkSchedule } from './pillars/pillar-schedule.ts';
import { collectProblems, refuseProblems, type Problems } from './problem.ts';
import { workshop, type Scope } from './expressions/scope.ts';
import { unsealNode, type Unseal } from './pillars/seal.ts';
import { filesFor, readTop, type NamedFile } from './top.ts';
import { findFile } from './states/tree-files.ts';
import type { Tree } from './tree.ts';
import { parseYaml } from './yaml.ts';

/** The data of one minion; texts that were sealed, or computed from such, are `Secret`. */
export type PillarValue = DataMapping;

export interface CompiledPillar {
  readonly value: PillarValue;
  /** For every value and list, by dotted path. */
  readonly origins: ReadonlyMap<string, Origin>;
}

export interface PillarInput {
  readonly tree: Tree;
  readonly minion: Minion;
  /** Opens a sealed text; `null` if that is not to be done here: then something stands for it. */
  readonly unseal: Unseal | null;
}

export interface Minion {
  readonly id: string;
  readonly groups: readonly string[];
}

/** Merges the files that pillars/top.yaml gives to a minion. Throws TREE_INVALID with every mistake. */
export function compilePillar({ tree, minion, unseal }: PillarInput): CompiledPillar {
  const problems = collectProblems(tree);
  const top = readTop(tree, 'pillars', problems) ?? [];
  const files = filesFor(top, { ...minion, facts: {} }, { tree, folder: 'pillars', problems });
  const value: Growing = {};
  const origins: Origins = new Map();
  const names = { pillar: value, minion: { id: minion.id, groups: [...minion.groups] } };
  const scope: Scope = { names: new Map(Object.entries(names)), chain: [] };
  const merge: Merge = { workshop: workshop(problems), scope, origins, problems };
  for (const file of files) {
    const node = readPillarFile(tree, file, problems);
    if (node === null) continue;
    const chain = [{ words: 'listed in', place: file.place }];
    const opened = unsealNode(node, { unseal, problems, chain });
    mergeMapping(value, opened, { ...merge, scope: { ...scope, chain } }, '');
  }
  checkSchedule(value, origins, problems);
  refuseProblems(problems);
  return { value, origins };
}

export function readPillarFile(
  tree: Tree,
  file: NamedFile,
  problems: Problems,
): MappingNode | null {
  const found = findFile(tree, 'pillars', file, { problems });
  if (found === null) return null;
  const node = parseYaml(found.path, found.bytes, problems, { sealed: true });
  if (node === null || node.kind === 'broken') return null;
  if (node.kind === 'mapping') return node;
  if (node.kind === 'scalar' && node.value === null)
    return { ...node, kind: 'mapping', entries: [] };
  problems.add(node.place, `a pillar file is a mapping, got ${describeNode(node)}`);
  return null;
}

/** A pillar as it is sent: everything in plain, and JSON pointers to what is secret. */
export interface WirePillar {
  readonly value: { [name: string]: Json };
  readonly secrets: string[];
}

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

export function pillarToWire(value: PillarValue): WirePillar {
  const secrets: string[] = [];
  findSecrets(value, '', secrets);
  return { value: toJsonMapping(value), secrets };
}

function findSecrets(data: Data, pointer: string, found: string[]): void {
  if (data instanceof Secret) found.push(pointer);
  for (const [key, below] of childrenOf(data)) {
    findSecrets(below, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, found);
  }
}

function childrenOf(data: Data): [string, Data][] {
  if (isList(data)) return data.map((item, index) => [String(index), item]);
  return isMapping(data) ? Object.entries(data) : [];
}

function toJsonMapping(data: DataMapping): { [name: string]: Json } {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, toJson(value)]));
}

function toJson(data: Data): Json {
  const plain = data instanceof Secret ? reveal(data) : data;
  if (isList(plain)) return plain.map(toJson);
  if (isMapping(plain)) return toJsonMapping(plain);
  return plain instanceof Secret ? null : plain;
}

/** The opposite of `pillarToWire`. */
export function pillarFromWire({
  value,
  secrets,
}: {
  readonly value: DataMapping;
  readonly secrets: readonly string[];
}): PillarValue {
  const pointers = new Set(secrets);
  return mapBelow(value, '', (data, pointer) => (pointers.has(pointer) ? new Secret(data) : data));
}

type Visit = (data: Data, pointer: string) => Data;

function mapBelow(mapping: DataMapping, pointer: string, visit: Visit): DataMapping {
  const entries = Object.entries(mapping).map(([key, below]) => {
    const here = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [key, mapData(below, here, visit)] as const;
  });
  return Object.fromEntries(entries);
}

function mapData(data: Data, pointer: string, visit: Visit): Data {
  if (isList(data)) return data.map((item, index) => mapData(item, `${pointer}/${index}`, visit));
  return isMapping(data) ? mapBelow(data, pointer, visit) : visit(data, pointer);
}
