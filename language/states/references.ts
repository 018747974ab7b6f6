import type { Draft } from './draft.ts';
import { moduleOf } from './arguments.ts';
import { globMatcher, isGlob } from '../values/glob.ts';
import { describeNode, type Node } from '../values/node.ts';
import type { Place } from '../place.ts';
import type { Link, Problems } from '../problem.ts';
import { hint } from '../values/hint.ts';

/** What a requisite points at, as it is written. */
export interface Reference {
  /** A module (`pkg`), a type (`pkg.installed`), or `null` for a bare ID. */
  readonly module: string | null;
  readonly pattern: string;
  readonly place: Place;
}

interface Where {
  readonly problems: Problems;
  readonly chain: readonly Link[];
}

/** `[ID, {module: ID-or-name}, {file: a.b}]`; one alone and a mapping are read too. */
export function readReferences(node: Node, word: string, where: Where): readonly Reference[] {
  if (node.kind === 'broken') return [];
  if (node.kind === 'sequence') {
    return node.items.flatMap((item) => readReference(item, word, where));
  }
  return readReference(node, word, where);
}

function readReference(node: Node, word: string, where: Where): readonly Reference[] {
  if (node.kind === 'mapping') {
    return node.entries.flatMap(({ key, value }) => {
      const pattern = patternOf(value, word, where);
      return pattern === null ? [] : [{ module: key, pattern, place: value.place }];
    });
  }
  const pattern = patternOf(node, word, where);
  return pattern === null ? [] : [{ module: null, pattern, place: node.place }];
}

function patternOf(node: Node, word: string, { problems, chain }: Where): string | null {
  if (
    node.kind === 'scalar' &&
    (typeof node.value === 'string' || typeof node.value === 'number')
  ) {
    return String(node.value);
  }
  if (node.kind === 'broken') return null;
  const help = 'a reference is an ID, {module: ID-or-name} or {file: a.b}';
  problems.add(node.place, `"${word}" cannot refer to ${describeNode(node)}`, { help, chain });
  return null;
}

/** Finds drafts quickly by ID, name, and the file they stand in. */
export interface Register {
  find(reference: Reference): readonly Draft[];
  /** What could have been meant, for a suggestion. */
  candidates(reference: Reference): readonly string[];
  readonly modules: ReadonlySet<string>;
}

export function registerOf(drafts: readonly Draft[], files: ReadonlySet<string>): Register {
  const byWord = new Map<string, Draft[]>();
  const byFile = new Map<string, Draft[]>();
  for (const draft of drafts) {
    for (const word of new Set([draft.id, draft.name])) push(byWord, word, draft);
    push(byFile, draft.stateFile, draft);
  }
  const modules = new Set(drafts.flatMap(({ type }) => [type, moduleOf(type)]));

  function find({ module, pattern }: Reference): readonly Draft[] {
    const isOfModule = ({ type }: Draft) =>
      module === null || type === module || moduleOf(type) === module;
    const found = module === 'sls' ? [] : select(byWord, pattern).filter(isOfModule);
    const isFile = found.length === 0 && (module === 'file' || module === 'sls');
    return isFile ? select(byFile, pattern) : [...new Set(found)];
  }

  function candidates({ module }: Reference): readonly string[] {
    if (module === 'sls') return [...files];
    const ofModule = drafts.filter(({ type }) => module === null || moduleOf(type) === module);
    const words = ofModule.flatMap(({ id, name }) => [id, name]);
    return module === 'file' ? [...words, ...files] : words;
  }

  return { find, candidates, modules };
}

function push(map: Map<string, Draft[]>, key: string, draft: Draft): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [draft]);
  else known.push(draft);
}

function select(map: ReadonlyMap<string, readonly Draft[]>, pattern: string): readonly Draft[] {
  const exact = map.get(pattern);
  if (exact !== undefined || !isGlob(pattern)) return exact ?? [];
  const test = globMatcher(pattern);
  return [...map].flatMap(([word, drafts]) => (test(word) ? drafts : []));
}

const NOWHERE = 'declare it, include its file, or look whether a "when" leaves it out';

/** Says that a reference leads nowhere, and what may have been meant. */
export function unknownReference(
  reference: Reference,
  word: string,
  { register, problems, chain }: Where & { readonly register: Register },
): void {
  const { module, pattern, place } = reference;
  const shown = module === null ? `"${pattern}"` : `{${module}: ${pattern}}`;
  const elsewhere = register.find({ ...reference, module: null })[0];
  const isOther = module !== null && elsewhere !== undefined;
  const words = new Set(register.candidates(reference));
  problems.add(place, `"${word}" refers to ${shown}, which nothing declares`, {
    help: isOther ? `"${pattern}" is declared as ${elsewhere.type}` : hint(pattern, words, NOWHERE),
    chain,
  });
}
