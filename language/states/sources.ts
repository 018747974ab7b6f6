import { Buffer } from 'node:buffer';
import type { TreeDirectory, TreeFile } from '../../shared/tree-file.ts';
import type { Surroundings } from '../../shared/surroundings.ts';
import { conceal, isMapping, type Data } from '../values/data.ts';
import type { Draft } from './draft.ts';
import { dataOf, isBroken, textOf, type Node } from '../values/node.ts';
import { Mistake } from '../problem.ts';
import type { Workshop } from '../expressions/scope.ts';
import { renderTemplate, staticFile } from '../template.ts';
import type { Manifest, ManifestEntry, Tree } from '../tree.ts';
import { hint } from '../values/hint.ts';

export interface Using {
  readonly tree: Tree;
  readonly workshop: Workshop;
  /** Otherwise a template is only looked for: what it needs may not be known. */
  readonly isRendered: boolean;
  /** Texts that other states gather for files: what templates know as `accumulator`. */
  readonly gathered?: Surroundings['gathered'];
  /** The files for which some of these texts are secret. */
  readonly secretFor?: ReadonlySet<string>;
}

/**
 * What an argument that may name a file below `templates/` becomes: the file, rendered if it is a
 * template; the first that exists if there are several; or the value itself if it names a path on
 * the host or an address. `null` if there is no such file; why is reported.
 */
export function treeFileOf(draft: Draft, node: Node, using: Using): unknown {
  const context = ['defaults', 'context'].flatMap((word) => draft.args.get(word)?.value ?? []);
  if (isBroken(node) || context.some(isBroken)) return null;
  if (node.kind === 'sequence') return firstOf(draft, node.items, using);
  const text = textOf(node);
  if (text === null || isElsewhere(text)) return dataOf(node);
  const path = candidates(text).find((candidate) => using.tree.read(candidate) !== null);
  if (path !== undefined) return open(draft, { path, node }, using);
  missing(draft, { text, node }, using);
  return null;
}

/** Which address or path on the host there is only the host can tell; a file of the tree is there. */
function firstOf(draft: Draft, items: readonly Node[], using: Using): unknown {
  const fallbacks: unknown[] = [];
  for (const item of items) {
    const text = textOf(item) ?? '';
    if (isElsewhere(text)) fallbacks.push(dataOf(item));
    else if (candidates(text).some((path) => using.tree.read(path) !== null)) {
      const file = treeFileOf(draft, item, using);
      return fallbacks.length === 0 ? file : [...fallbacks, file];
    }
  }
  const [first] = items;
  return fallbacks.length > 0 || first === undefined ? fallbacks : treeFileOf(draft, first, using);
}

/**
 * What an argument that names a directory below `templates/` becomes: all files below it, templates
 * rendered and without their `.hbs`. `null` if there is no such directory; why is reported.
 */
export function treeDirectoryOf(draft: Draft, node: Node, using: Using): TreeDirectory | null {
  const text = isBroken(node) ? null : textOf(node);
  if (text === null) return null;
  const paths = candidates(text.replace(/\/+$/u, ''));
  for (const path of paths) {
    const below = using.tree.manifest.filter((entry) => entry.path.startsWith(`${path}/`));
    if (below.length > 0) return directoryOf(draft, { path, node, below }, using);
  }
  const { problems } = using.workshop;
  const isFile = paths.some((path) => using.tree.read(path) !== null);
  problems.add(node.place, `there is no directory "${text}" below templates/`, {
    help: isFile
      ? 'it is a file: file.managed puts a single one on a host'
      : hint(text.replace(SALT, ''), directoriesOf(using.tree), null),
    chain: draft.scope.chain,
  });
  return null;
}

function directoriesOf({ manifest }: Tree): readonly string[] {
  const all = manifest.flatMap(({ path }) => {
    const parts = path.startsWith('templates/') ? path.split('/').slice(1, -1) : [];
    return parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
  });
  return [...new Set(all)];
}

function directoryOf(
  draft: Draft,
  { path, node, below }: Found & { readonly below: Manifest },
  using: Using,
): TreeDirectory | null {
  const files = new Map<string, TreeFile>();
  let isWhole = true;
  for (const entry of below) {
    const isRendered = isTemplate(draft, entry.path);
    const to = entry.path.slice(path.length + 1).replace(isRendered ? /\.hbs$/u : /$^/u, '');
    const file = isRendered ? open(draft, { path: entry.path, node }, using) : lazy(entry, using);
    isWhole = isWhole && file !== null && !files.has(to);
    if (files.has(to)) {
      const message = `"${path}" holds both "${to}" and "${to}.hbs"`;
      using.workshop.problems.add(node.place, message, { chain: draft.scope.chain });
    } else if (file !== null) files.set(to, file);
  }
  const sorted = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return isWhole ? { path, files: sorted.map(([to, file]) => ({ to, file })) } : null;
}

/** A file that is copied as it is: read when it is needed. */
function lazy({ path, sha256, mode }: ManifestEntry, { tree }: Using): TreeFile {
  return { path, sha256, mode, read: () => tree.read(path) ?? new Uint8Array() };
}

const ADDRESS = /^(?!salt:)[a-z][a-z0-9+.-]*:\/\//u;
const SALT = /^salt:\/\//u;
const HASH = /^\s*(?:[a-z0-9]+ *[=:] *)?[0-9a-f]{32,128}\s*$/iu;

/** A path on the host, an address, or a hash in place of a file of hashes. */
export function isElsewhere(text: string): boolean {
  return text === '' || text.startsWith('/') || ADDRESS.test(text) || HASH.test(text);
}

/**
 * `nginx/site.conf.hbs` is below `templates/`. Salt's `salt://` is read too, and may also mean a file
 * that stands among the state files, as Salt has them.
 */
export function candidates(text: string): readonly string[] {
  const path = pathIn(text);
  if (path.split('/').includes('..')) return [];
  const own = path.startsWith('templates/') ? [path] : [`templates/${path}`];
  return SALT.test(text) ? [...own, `states/${path}`] : own;
}

/** Of which environment of Salt's it is does not matter: there is one tree. */
function pathIn(text: string): string {
  const path = SALT.test(text) ? text.replace(SALT, '').replace(/\?saltenv=.*$/u, '') : text;
  return path.replace(/^(?:\.\/)+/u, '');
}

/** What looks like a digest, and has too few or other digits. */
const NEARLY_HASH = /^(?:(?:md5|sha\d+)[=:][^/]*|[0-9a-f]{16,})$/iu;

function missing(
  { scope }: Draft,
  { text, node }: { text: string; node: Node },
  { tree, workshop }: Using,
): void {
  const { chain } = scope;
  if (NEARLY_HASH.test(text)) {
    const help =
      'in hexadecimal digits sha256 has 64, sha512 128, sha384 96, sha224 56, sha1 40, md5 32';
    return workshop.problems.add(node.place, `"${text}" is no digest`, { help, chain });
  }
  const known = tree.manifest.flatMap(({ path }) => path.match(/^templates\/(.*)$/su)?.[1] ?? []);
  const path = pathIn(text);
  const elsewhere = known.find((candidate) => candidate.endsWith(`/${path}`));
  const otherwise = path === text ? 'a path on the host begins with "/"' : inWordsOf(path);
  const help = elsewhere === undefined ? otherwise : `did you mean "${elsewhere}"?`;
  workshop.problems.add(node.place, `there is no file "${text}" below templates/`, {
    help: hint(path, known, help),
    chain,
  });
}

/** What Salt's address is called here. */
function inWordsOf(path: string): string {
  return `here it is called "${path}": the file ${path} below templates/`;
}

function open(draft: Draft, { path, node }: Found, using: Using): TreeFile | null {
  const bytes = using.tree.read(path) ?? new Uint8Array();
  const mode = entriesOf(using.tree).get(path)?.mode;
  if (isTemplateForgotten(draft, { path, bytes }, using)) return null;
  const isStatic = !using.isRendered || !isTemplate(draft, path);
  const file = isStatic ? staticFile(path, bytes) : rendered(draft, { path, node, bytes }, using);
  return file === null || mode === undefined ? file : { ...file, mode };
}

/** Values for a file full of expressions that would be copied as it is: `{{ port }}` on the host, unseen. */
function isTemplateForgotten(
  draft: Draft,
  { path, bytes }: { readonly path: string; readonly bytes: Uint8Array },
  { workshop }: Using,
): boolean {
  const word = draft.args.has('context') ? 'context' : 'defaults';
  const place = draft.args.get(word)?.value.place;
  if (place === undefined || draft.args.has('template') || isTemplate(draft, path)) return false;
  if (!Buffer.from(bytes).includes('{{')) return false;
  workshop.problems.add(place, `"${word}" is for a template, and "${path}" is not rendered`, {
    help: 'write "template: handlebars", or "template: false" if it is to be copied as it is',
    chain: draft.scope.chain,
  });
  return true;
}

interface Found {
  readonly path: string;
  readonly node: Node;
}

const known = new WeakMap<Manifest, ReadonlyMap<string, ManifestEntry>>();

function entriesOf({ manifest }: Tree): ReadonlyMap<string, ManifestEntry> {
  const entries = known.get(manifest) ?? new Map(manifest.map((entry) => [entry.path, entry]));
  known.set(manifest, entries);
  return entries;
}

function rendered(
  draft: Draft,
  { path, node, bytes }: Found & { readonly bytes: Uint8Array },
  { workshop, gathered, secretFor }: Using,
): TreeFile | null {
  const texts = gathered?.get(draft.name);
  const isSecret = texts !== undefined && secretFor?.has(draft.name) === true;
  const accumulator = isSecret ? conceal(texts) : texts;
  try {
    const names = new Map([
      ...draft.scope.names,
      ...(accumulator === undefined ? [] : [['accumulator', accumulator] as const]),
      ...contextOf(draft),
    ]);
    return renderTemplate(path, bytes, { names, workshop: { ...workshop, ports: draft.ports } });
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const link = { words: `used by ${draft.type} "${draft.id}" at`, place: node.place };
    const chain = [link, ...draft.scope.chain];
    workshop.problems.add(error.place, error.message, { help: error.help, chain });
    return null;
  }
}

/** By its name, or because the state says so. */
function isTemplate({ args }: Draft, path: string): boolean {
  const template = args.get('template')?.value;
  const word = template === undefined ? null : dataOf(template);
  const isTold = word === true || word === 'handlebars' || word === 'hbs';
  return path.endsWith('.hbs') ? word !== false : isTold;
}

/** `context` over `defaults`: names of the template's own. */
function contextOf({ args }: Draft): readonly (readonly [string, Data])[] {
  return ['defaults', 'context'].flatMap((word) => {
    const node = args.get(word)?.value;
    const data = node === undefined ? null : dataOf(node);
    return isMapping(data) ? Object.entries(data) : [];
  });
}
