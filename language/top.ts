import { ConductorError } from '../shared/errors.ts';
import { globMatcher, isGlob } from './values/glob.ts';
import { describeNode, textOf, type Entry, type Node } from './values/node.ts';
import type { Place } from './place.ts';
import type { Link, Problems } from './problem.ts';

import { matches, parseTarget, type Candidate, type Target } from './target.ts';
import { namedFiles, type Folder } from './states/tree-files.ts';
import {
  fromCompound,
  fromMatcher,
  SALT_MATCHERS,
  type Translation,
} from './targets/salt-target.ts';
import type { Tree } from './tree.ts';
import { isSaltFile } from './values/yaml-source.ts';
import { parseYaml } from './yaml.ts';
import { hint } from './values/hint.ts';

/** One line of a top file: whom it is for, and which files they get. */
export interface TopEntry {
  readonly target: Target;
  readonly files: readonly NamedFile[];
}

/** A name, or a glob of names, and where it was written. */
export interface NamedFile {
  readonly name: string;
  readonly place: Place;
}

export function topPath(folder: Folder): string {
  return `${folder}/top.yaml`;
}

/** Salt's `top.sls` is read where there is no `top.yaml`. */
export function topIn(tree: Tree, folder: Folder): string {
  const [own, salt] = [topPath(folder), `${folder}/top.sls`];
  return tree.read(own) === null && tree.read(salt) !== null ? salt : own;
}

/** Two top files would each say who gets what, and one of them in vain. */
function refuseSecond(tree: Tree, folder: Folder, problems: Problems): void {
  const salt = `${folder}/top.sls`;
  if (topIn(tree, folder) === salt || tree.read(salt) === null) return;
  const help = 'write the lines of both into one of them, and remove the other';
  const place = { file: salt, line: 1, column: 1 };
  problems.add(place, `this tree has another top file: ${topPath(folder)}`, { help });
}

/** The lines of a top file; `null` if the tree has none. Mistakes are reported. */
export function readTop(
  tree: Tree,
  folder: Folder,
  problems: Problems,
): readonly TopEntry[] | null {
  const path = topIn(tree, folder);
  const bytes = tree.read(path);
  if (bytes === null) return null;
  refuseSecond(tree, folder, problems);
  const node = parseYaml(path, bytes, problems);
  if (node === null || isEmpty(node)) return [];
  if (node.kind !== 'mapping') {
    problems.add(node.place, `a top file is a mapping, got ${describeNode(node)}`);
    return [];
  }
  return node.entries.flatMap((entry) => readBase(entry, folder, problems));
}

function isEmpty(node: Node): boolean {
  return node.kind === 'broken' || (node.kind === 'scalar' && node.value === null);
}

function readBase({ key, keyNode, value }: Entry, folder: Folder, problems: Problems): TopEntry[] {
  if (key !== 'base') {
    const help = 'a top file has one key, "base", with the targets below it';
    problems.add(keyNode.place, `unknown key "${key}" in a top file`, { help });
    return [];
  }
  if (isEmpty(value)) return [];
  if (value.kind !== 'mapping') {
    problems.add(value.place, `"base" maps targets to files, got ${describeNode(value)}`);
    return [];
  }
  return value.entries.flatMap((entry) => {
    const matcher = matcherIn(entry.value, problems);
    const named = matcher === null ? null : translated(entry, matcher, problems);
    const target = named === null ? null : readTarget(named, folder, problems);
    const files = readFiles(entry.value, problems);
    return target === null ? [] : [{ target, files }];
  });
}

/** How Salt reads the key of a target: by `- match: grain`, or as a compound of all of them. `null` after a mistake. */
function matcherIn(node: Node, problems: Problems): Matcher | null {
  const items = node.kind === 'sequence' ? node.items : [];
  const entries = items.flatMap((item) => (item.kind === 'mapping' ? item.entries : []));
  const match = entries.find(({ key }) => key === 'match');
  if (match === undefined) return asWritten;
  const word = textOf(match.value) ?? '';
  const letter = SALT_MATCHERS.get(word);
  if (letter === null) return word === 'compound' ? fromCompound : (text) => ({ text });
  if (letter !== undefined) return (text) => fromMatcher(letter, text);
  const help = `it is one of ${[...SALT_MATCHERS.keys()].join(', ')}`;
  problems.add(match.value.place, `"match" cannot be ${describeNode(match.value)}`, { help });
  return null;
}

type Matcher = (text: string, file: string) => Translation;

function asWritten(text: string, file: string): Translation {
  return isSaltFile(file) ? fromCompound(text) : { text };
}

/** The key of a target in Conductor's words. `null` after a mistake. */
function translated(entry: Entry, matcher: Matcher, problems: Problems): Entry | null {
  const { place, value } = entry.keyNode;
  const found = matcher(entry.key, place.file);
  if ('text' in found && found.text === entry.key) return entry;
  if ('text' in found)
    return { ...entry, key: found.text, keyNode: { kind: 'scalar', place, value } };
  problems.add(place, `cannot read the target "${entry.key}": ${found.why}`);
  return null;
}

function isMatcher(node: Node): boolean {
  return node.kind === 'mapping' && node.entries.length === 1 && node.entries[0]?.key === 'match';
}

function readTarget({ key, keyNode }: Entry, folder: Folder, problems: Problems): Target | null {
  try {
    const target = parseTarget(key);
    if (folder === 'states' || isTrustworthy(target)) return target;
    problems.add(keyNode.place, `the target "${key}" asks for what the minion says of itself`, {
      help: 'a minion may lie, so pillars go by ids, patterns of ids and groups only',
    });
    return null;
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    const { why, column } = error.details;
    const offset = typeof column === 'number' ? column - 1 : 0;
    const place = keyNode.at?.(offset) ?? keyNode.place;
    problems.add(place, `cannot read the target "${key}": ${String(why)}`);
    return null;
  }
}

/** Ids and groups are the master's own knowledge. */
function isTrustworthy(target: Target): boolean {
  if (target.kind === 'not') return isTrustworthy(target.of);
  if ('of' in target) return target.of.every(isTrustworthy);
  return target.kind === 'name' || target.kind === 'glob' || target.kind === 'regex';
}

function readFiles(node: Node, problems: Problems): NamedFile[] {
  const items = node.kind === 'sequence' ? node.items : [node];
  return items.flatMap((item) => {
    if (isMatcher(item)) return [];
    const name = textOf(item);
    if (name !== null && !name.includes('{{')) return [{ name, place: item.place }];
    if (item.kind !== 'broken') {
      const what = name === null ? describeNode(item) : 'an expression';
      problems.add(item.place, `a top file lists names of files, got ${what}`);
    }
    return [];
  });
}

/**
 * The files that a top file gives to a minion, each once, in order. Globs match what there is; a
 * plain name that does not exist is a mistake.
 */
export function filesFor(
  entries: readonly TopEntry[],
  minion: Candidate,
  { tree, folder, problems }: { tree: Tree; folder: Folder; problems: Problems },
): readonly NamedFile[] {
  const known = namedFiles(tree, folder);
  const files = new Map<string, NamedFile>();
  for (const entry of entries.filter(({ target }) => matches(target, minion))) {
    for (const { name, place } of entry.files.flatMap((file) => expand(file, known))) {
      if (!known.has(name)) missingFile({ name, place }, { known, folder, problems });
      else if (!files.has(name)) files.set(name, { name, place });
    }
  }
  return [...files.values()];
}

export function expand(
  { name, place }: NamedFile,
  known: ReadonlyMap<string, unknown>,
): readonly NamedFile[] {
  if (!isGlob(name)) return [{ name, place }];
  const test = globMatcher(name);
  return [...known.keys()].filter(test).map((found) => ({ name: found, place }));
}

export function missingFile(
  { name, place }: NamedFile,
  {
    known,
    folder,
    problems,
    chain = [],
  }: {
    known: ReadonlyMap<string, unknown>;
    folder: Folder;
    problems: Problems;
    chain?: readonly Link[];
  },
): void {
  const dotted = dottedName(name, folder);
  const path = `${folder}/${dotted.replaceAll('.', '/')}`;
  const isPath = dotted !== name && known.has(dotted);
  problems.add(place, `there is no ${folder === 'states' ? 'state' : 'pillar'} file "${name}"`, {
    help: isPath
      ? `write ${dotted}`
      : hint(dotted, known.keys(), `it would be ${path}.yaml or ${path}/init.yaml`),
    chain,
  });
}

/** What a path of a file is called: `states/base/disks.yaml` is `base.disks`. */
export function dottedName(name: string, folder: Folder): string {
  const isPath = name.includes('/') || /\.(?:ya?ml|sls)$/u.test(name);
  if (!isPath) return name;
  return `/${name}`
    .replace(new RegExp(`^.*/${folder}/`, 'u'), '')
    .replace(/^[./]+/u, '')
    .replace(/\.(?:ya?ml|sls)$/u, '')
    .replace(/\/init$/u, '')
    .replaceAll('/', '.');
}
