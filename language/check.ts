import type { z } from 'zod';
import { didYouMean } from '../shared/suggest.ts';
import type { Data } from './data.ts';
import { reveal } from './data.ts';
import { wrongsOf, type Wrong } from './issues.ts';
import { dataOf, describeNode, isBroken, type MappingNode, type Node } from './node.ts';
import type { Place } from './place.ts';
import type { Link, Problems } from './problem.ts';

/** What is checked, and how to speak of it. */
export interface Subject {
  /** `file.managed`, or a word such as `retry`. */
  readonly what: string;
  readonly node: MappingNode;
  /** Where a missing key is told. */
  readonly place: Place;
  /** Every key that would have been understood. */
  readonly keys: Iterable<string>;
  readonly chain: readonly Link[];
  readonly problems: Problems;
}

/**
 * Parses the plain data of a node. What does not fit is reported at its place; `undefined` then.
 * Values that are broken have been reported already.
 */
export function checkNode<Result>(
  schema: z.ZodType<Result>,
  subject: Subject,
  data: Data = reveal(dataOf(subject.node)),
): { readonly value: Result } | undefined {
  return checkData(schema, subject, data);
}

/** The same for data that was made of the node. */
export function checkData<Result>(
  schema: z.ZodType<Result>,
  subject: Subject,
  data: unknown,
): { readonly value: Result } | undefined {
  const result = schema.safeParse(data);
  if (result.success) return { value: result.data };
  for (const wrong of wrongsOf(result.error.issues)) reportWrong(wrong, subject);
  return undefined;
}

function reportWrong(wrong: Wrong, subject: Subject): void {
  const { problems, chain, what } = subject;
  const found = nodeAt(subject.node, wrong.path);
  const isWhole = wrong.path.length === 0 && wrong.unknownKeys.length === 0;
  if (found.isBroken || (isWhole && isBroken(subject.node))) return;
  if (wrong.unknownKeys.length > 0) return reportUnknown(wrong, found, subject);
  const shown = wrong.path.map(String).join('.');
  if (found.node === null && wrong.isTypeOnly) {
    const name = String(wrong.path.at(-1) ?? '');
    const parent =
      wrong.path.length === 1 ? what : `"${wrong.path.slice(0, -1).map(String).join('.')}"`;
    const place = wrong.path.length === 1 ? subject.place : found.place;
    return problems.add(place, `${parent} needs "${name}"`, { help: `it ${wrong.words}`, chain });
  }
  const got = found.node === null || shown === '' ? '' : `, got ${describeNode(found.node)}`;
  const text = found.node?.kind === 'scalar' ? String(found.node.value) : '';
  const hint = didYouMean(text, wrong.choices).replace(/^, /u, '');
  const name = shown === '' ? what : `"${shown}"`;
  problems.add(shown === '' ? subject.place : found.place, `${name} ${wrong.words}${got}`, {
    help: hint === '' ? null : hint,
    chain,
  });
}

function reportUnknown(wrong: Wrong, found: Found, { keys, what, problems, chain }: Subject): void {
  const isTop = wrong.path.length === 0;
  const known = isTop ? [...keys] : [];
  for (const key of wrong.unknownKeys) {
    const entry =
      found.node?.kind === 'mapping'
        ? found.node.entries.find((one) => one.key === key)
        : undefined;
    const hint = didYouMean(key, known).replace(/^, /u, '');
    const message = isTop
      ? `unknown argument "${key}" of ${what}`
      : `unknown key "${key}" in "${wrong.path.map(String).join('.')}" of ${what}`;
    const help = hint === '' && isTop ? `${what} takes ${known.join(', ')}` : hint;
    problems.add(entry?.keyNode.place ?? found.place, message, {
      help: help === '' ? null : help,
      chain,
    });
  }
}

interface Found {
  /** `null` if there is nothing at the path. */
  readonly node: Node | null;
  /** Of the node, or of the last one on the way to it. */
  readonly place: Place;
  readonly isBroken: boolean;
}

function nodeAt(node: Node, path: readonly PropertyKey[]): Found {
  let at: Node = node;
  for (const step of path) {
    if (at.kind === 'broken') return { node: null, place: at.place, isBroken: true };
    const below: Node | undefined = childOf(at, step);
    if (below === undefined) return { node: null, place: at.place, isBroken: false };
    at = below;
  }
  return { node: at, place: at.place, isBroken: at.kind === 'broken' };
}

function childOf(node: Node, step: PropertyKey): Node | undefined {
  if (node.kind === 'sequence') return node.items[Number(step)];
  if (node.kind !== 'mapping') return undefined;
  return node.entries.find(({ key }) => key === String(step))?.value;
}
