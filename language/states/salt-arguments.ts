import { Buffer } from 'node:buffer';
import type { Draft } from './draft.ts';
import { candidates, isElsewhere, type Using } from './sources.ts';
import type { Entry, Node } from '../values/node.ts';
import { textOf } from '../values/node.ts';
import { commandsFor } from './salt-functions.ts';
import { findJinjaIn } from '../values/jinja-template.ts';
import { isSaltFile } from '../values/yaml-source.ts';

/**
 * A state of a file of Salt's as it is understood here: what says nothing is left out (`cwd:` without
 * a value, `template: jinja` for sources without any Jinja). Jinja in a source is reported.
 */
export function asSaltMeans(draft: Draft, using: Using): Draft {
  if (!isSaltFile(draft.place.file)) return draft;
  const said = new Map([...draft.args].filter(isSaid).map(inWordsOfHere));
  const template = said.get('template');
  if (template === undefined || textOf(template.value) !== 'jinja') return { ...draft, args: said };
  const sources = sourcesOf(said);
  if (sources.some(isElsewhere)) return { ...draft, args: said };
  const paths = sources.flatMap((text) => pathsOf(text, using));
  const refused = paths.filter((path) => refuseJinja(draft, { path, template }, using));
  if (refused.length === 0) said.delete('template');
  else
    said.set('template', { ...template, value: { kind: 'broken', place: template.value.place } });
  return { ...draft, args: said };
}

/** To Salt, an argument without a value is one that is not given, and so is an empty list of guards. */
function isSaid([word, { value }]: readonly [string, Entry]): boolean {
  if (value.kind === 'sequence') return value.items.length > 0 || !GUARDS.has(word);
  return value.kind !== 'scalar' || value.value !== null;
}

const GUARDS: ReadonlySet<string> = new Set(['unless', 'onlyif']);

/** Arguments that are texts whatever stands there. */
const TEXTS: ReadonlySet<string> = new Set(['contents', 'text', 'env', 'environment', 'env_vars']);

function inWordsOfHere([word, entry]: readonly [string, Entry]): [string, Entry] {
  if (GUARDS.has(word)) return [word, { ...entry, value: commandsFor(entry.value) }];
  return [word, TEXTS.has(word) ? { ...entry, value: asPython(entry.value) } : entry];
}

/** Where a text is wanted, `true` is "True": what Salt's Python writes. */
function asPython(node: Node): Node {
  if (node.kind === 'sequence') return { ...node, items: node.items.map(asPython) };
  if (node.kind === 'mapping') {
    const entries = node.entries.map((entry) => ({ ...entry, value: asPython(entry.value) }));
    return { ...node, entries };
  }
  if (node.kind !== 'scalar' || typeof node.value !== 'boolean') return node;
  return { ...node, value: node.value ? 'True' : 'False' };
}

function sourcesOf(args: ReadonlyMap<string, Entry>): readonly string[] {
  const script = ['source', 'sources'].some((word) => args.has(word)) ? [] : ['name'];
  return ['source', 'sources', ...script].flatMap((word) => {
    const value = args.get(word)?.value;
    const items = value?.kind === 'sequence' ? value.items : [value];
    const texts = items.flatMap((item) => (item === undefined ? [] : (textOf(item) ?? [])));
    return word === 'name' ? texts.filter((text) => text.startsWith('salt://')) : texts;
  });
}

/** The file that a source means, or all files below it. */
function pathsOf(text: string, { tree }: Using): readonly string[] {
  const all = candidates(text.replace(/\/+$/u, ''));
  const file = all.find((path) => tree.read(path) !== null);
  if (file !== undefined) return [file];
  const below = tree.manifest.map(({ path }) => path);
  return below.filter((path) => all.some((folder) => path.startsWith(`${folder}/`)));
}

/** Whether there is any; it is reported. */
function refuseJinja(
  draft: Draft,
  { path, template }: { readonly path: string; readonly template: Entry },
  { tree, workshop: { problems } }: Using,
): boolean {
  const found = findJinjaIn(Buffer.from(tree.read(path) ?? new Uint8Array()).toString());
  if (found === null) return false;
  const link = { words: '"template: jinja" is said at', place: template.value.place };
  const { line, column, message, help } = found;
  problems.add({ file: path, line, column }, message, {
    help,
    chain: [link, ...draft.scope.chain],
  });
  return true;
}
