import { hasExpression } from '../expression.ts';
import type { Place } from '../place.ts';
import type { Problems } from '../problem.ts';
import { unknownId } from '../states/extend.ts';
import {
  readReferences,
  registerOf,
  unknownReference,
  type Reference,
} from '../states/references.ts';
import { requisiteOf } from '../states/words.ts';
import { isGlob } from '../values/glob.ts';
import { textOf, type Entry, type Node } from '../values/node.ts';
import type { Lint } from './lint-context.ts';
import { drafted } from './drafted.ts';
import type { WrittenHere } from './written-states.ts';

/**
 * Reports requisites to what no file of the tree declares, under whatever values: an ID or name that is computed may be
 * any that its written parts allow.
 */
export function lintReferences(
  all: readonly WrittenHere[],
  extensions: readonly WrittenHere[],
  context: Lint,
): void {
  const { problems } = context;
  const every = [...all, ...extensions];
  const register = registerOf(
    every.flatMap((one) => drafted(one, problems)),
    new Set(context.known.keys()),
  );
  const computed = every.flatMap(computedWords);
  const where = { register, problems, chain: [] };
  for (const { word, reference, place } of every.flatMap((one) => referencesIn(one, context))) {
    const found = register.find(reference);
    if (mayBeDeclared(reference, computed, context)) continue;
    if (found.length === 0) unknownReference(reference, word, where);
    else if (place !== null && found.length === 1 && found[0]?.place === place)
      problems.add(reference.place, `"${word}" refers to the state itself`);
  }
  for (const { entry } of extensions)
    if (!isKnownId(entry.key, all, computed)) unknownExtension(entry, all, problems);
}

function isKnownId(id: string, all: readonly WrittenHere[], computed: readonly RegExp[]): boolean {
  if (hasExpression(id) || all.some(({ entry }) => entry.key === id)) return true;
  return computed.some((possible) => possible.test(id));
}

function unknownExtension(
  { key, keyNode }: Entry,
  all: readonly WrittenHere[],
  problems: Problems,
): void {
  const ids = new Set(all.map(({ entry }) => entry.key));
  unknownId({ id: key, idPlace: keyNode.place, chain: [] }, ids, problems);
}

interface Referring {
  readonly word: string;
  readonly reference: Reference;
  /** Where the state stands that has it, if that is there once. */
  readonly place: Place | null;
}

/** As far as they are written out. */
function referencesIn(
  { args, written, file, isSure }: WrittenHere,
  { problems }: Lint,
): readonly Referring[] {
  const where = { problems, chain: [] };
  const place = isSure && file.loop.each === null ? written.key.place : null;
  return [...args].flatMap(([word, { value }]) =>
    isReferring(word)
      ? readReferences(value, word, where)
          .filter(isLiteral)
          .map((reference) => ({ word, reference, place }))
      : [],
  );
}

function isReferring(word: string): boolean {
  return requisiteOf(word) !== null || word === 'use' || word === 'use_in';
}

function isLiteral({ module, pattern }: Reference): boolean {
  return !hasExpression(pattern) && !hasExpression(module);
}

/** What a file is called is known; of a glob nobody can say what it does not match. */
function mayBeDeclared(
  { module, pattern }: Reference,
  computed: readonly RegExp[],
  { known }: Lint,
): boolean {
  const isFile = module === 'file' || module === 'sls';
  if (isGlob(pattern) || (isFile && known.has(pattern))) return true;
  return computed.some((possible) => possible.test(pattern));
}

/** What its ID and names may be where they are computed. */
function computedWords({ entry, args }: WrittenHere): readonly RegExp[] {
  const names = ['name', 'names'].flatMap((word) => args.get(word)?.value ?? []);
  const items = names.flatMap((node) => (node.kind === 'sequence' ? node.items : [node]));
  const texts = items.flatMap((item) => textOf(item) ?? keysOf(item));
  return [entry.key, ...texts].filter(hasExpression).map(possible);
}

function keysOf(node: Node): readonly string[] {
  return node.kind === 'mapping' ? node.entries.map(({ key }) => key) : [];
}

function possible(text: string): RegExp {
  const parts = text.split(/\{\{[^]*?\}\}/u).map((part) => escaped(part));
  return new RegExp(`^${parts.join('[^]*')}$`, 'u');
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`);
}
