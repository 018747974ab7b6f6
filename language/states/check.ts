import type { z } from 'zod';
import type { Data } from '../values/data.ts';
import { sparingAbsent } from './absent.ts';
import { wrongsOf, type Wrong } from './issues.ts';
import {
  describeNode,
  isBroken,
  revealedData,
  type MappingNode,
  type Node,
} from '../values/node.ts';
import type { Place } from '../place.ts';
import type { Link, Problems } from '../problem.ts';
import { cameFrom } from '../pillars/provenance.ts';
import { insteadOfArgument } from './instead.ts';
import { hint } from '../values/hint.ts';
import { schemaKeys } from './schema-keys.ts';
import { secretNamesOf } from './secret-names.ts';

/** What is checked, and how to speak of it. */
export interface Subject {
  /** `file.managed`, or a word such as `retry`. */
  readonly what: string;
  readonly node: MappingNode;
  /** Where a missing key is told. */
  readonly place: Place;
  /** Every key that would have been understood. */
  readonly keys: () => readonly string[];
  readonly chain: readonly Link[];
  readonly problems: Problems;
}

/** Code that zod would make for each schema pays only where one is used many thousand times. */
const ONCE = { jitless: true };

/**
 * Parses the plain data of a node. What does not fit is reported at its place; `undefined` then.
 * Values that are broken have been reported already.
 */
export function checkNode<Result>(
  schema: z.ZodType<Result>,
  subject: Subject,
  data: Data = revealedData(subject.node),
): { readonly value: Result } | undefined {
  return checkData(schema, subject, data);
}

/** The same for data that was made of the node. */
export function checkData<Result>(
  schema: z.ZodType<Result>,
  subject: Subject,
  data: unknown,
): { readonly value: Result } | undefined {
  const result = sparingAbsent(schema).safeParse(data, ONCE);
  if (result.success) return { value: result.data };
  for (const wrong of wrongsOf(result.error.issues)) {
    reportWrong(wrong, {
      ...subject,
      keysAt: (path) => keysAt(schema, path),
      secretNames: () => secretNamesOf({ schema }),
    });
  }
  return undefined;
}

interface Checked extends Subject {
  /** The keys that are understood at some path below. */
  readonly keysAt: (path: readonly PropertyKey[]) => readonly string[];
  /** What stands there is not shown, even if it is a mistake. */
  readonly secretNames: () => ReadonlySet<string>;
}

function keysAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  const [step, ...rest] = path;
  if (step === undefined) return [...schemaKeys(schema).keys()];
  const below = schemaKeys(schema).get(String(step));
  return below === undefined ? [] : keysAt(below, rest);
}

function reportWrong(wrong: Wrong, subject: Checked): void {
  const found = nodeAt(subject.node, wrong.path);
  const isWhole = wrong.path.length === 0 && wrong.unknownKeys.length === 0;
  if (found.isBroken || (isWhole && isBroken(subject.node))) return;
  if (wrong.unknownKeys.length > 0) reportUnknown(wrong, found, subject);
  else if (isWhole) reportWhole(wrong, subject);
  else if (found.node === null) reportMissing(wrong, found, subject);
  else reportValue(wrong, found.node, subject);
}

/** The values do not go together. */
function reportWhole({ words }: Wrong, { what, place, problems, chain }: Subject): void {
  problems.add(place, `${what} ${words}`, { chain });
}

function reportMissing({ path, words, isTypeOnly }: Wrong, found: Found, subject: Subject): void {
  const { what, problems, chain } = subject;
  const isTop = path.length === 1;
  const owner = isTop ? what : `"${shown(path.slice(0, -1))}" of ${what}`;
  const message = `${owner} needs "${shown(path.slice(-1))}"`;
  const help = isTypeOnly ? `it ${words}` : words;
  problems.add(isTop ? subject.place : found.place, message, { help, chain });
}

function reportValue({ path, words, choices }: Wrong, node: Node, subject: Checked): void {
  const { what, problems, chain } = subject;
  const isHidden = path.some((step) => subject.secretNames().has(String(step)));
  const text = node.kind === 'scalar' && !isHidden ? String(node.value) : '';
  const got = isSaying(words) ? `: ${words}, got` : ` ${words}, got`;
  const value = isHidden ? 'a value that is not shown here' : describeNode(node);
  problems.add(node.place, `"${shown(path)}" of ${what}${got} ${value}`, {
    help: hint(text, choices, null),
    chain: [...cameFrom('from' in node ? node.from : []), ...chain],
    isHidden,
  });
}

/** Words of a schema's own that do not go on after the name of an argument. */
function isSaying(words: string): boolean {
  return !/^(?:must|is|has|needs|cannot|may|does|takes|names|holds)\b/u.test(words);
}

function shown(path: readonly PropertyKey[]): string {
  return path.map(String).join('.');
}

function reportUnknown(wrong: Wrong, found: Found, subject: Checked): void {
  const { keys, what, problems, chain } = subject;
  const known = wrong.path.length === 0 ? keys() : subject.keysAt(wrong.path);
  const where = wrong.path.length === 0 ? '' : `"${shown(wrong.path)}" of `;
  const takes = known.length === 0 ? null : `${where}${what} takes ${known.join(', ')}`;
  const entries = found.node?.kind === 'mapping' ? found.node.entries : [];
  for (const key of wrong.unknownKeys) {
    const place = entries.find((one) => one.key === key)?.keyNode.place ?? found.place;
    problems.add(place, `unknown argument "${key}" of ${where}${what}`, {
      help: insteadOfArgument(what, key) ?? hint(key, known, takes),
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
