import { isWholeModule, moduleOf, type Arguments, type Written } from '../states/arguments.ts';
import { REQUISITE_KINDS, type Requisite } from '../declaration.ts';
import { checkDraft } from '../states/declare.ts';
import { unknownType } from '../states/unknown-type.ts';
import type { Draft } from '../states/draft.ts';
import { hasExpression, isDynamic } from '../expression.ts';
import type { Lint } from './lint-context.ts';
import type { Entry, Node } from '../values/node.ts';
import type { Place } from '../place.ts';
import { schemaKeys } from '../states/schema-keys.ts';
import { isLoopWord } from '../state-file.ts';
import { COMMON_WORDS } from '../states/words.ts';
import { hint } from '../values/hint.ts';

/** One state as it is written. */
export interface WrittenState {
  readonly id: string;
  readonly idPlace: Place;
  readonly written: Written;
  /** `null` if all of them are computed. */
  readonly args: Arguments | null;
  readonly isExtension: boolean;
}

/** Checks a state as far as it can be without a minion: its type, its words, its literal values. */
export function checkLiteral(state: WrittenState, context: Lint): void {
  const { states, workshop } = context;
  const { written, args, isExtension } = state;
  const scope = { names: new Map(), chain: [] };
  const { type, key } = written;
  // Which type it is, only the state that is extended tells.
  if (isWholeModule(type)) return;
  const schema = states.get(type);
  if (schema === undefined) {
    if (context.isPartial && !isKnownModule(type, context)) return;
    unknownType({ type, place: key.place, scope }, { states, workshop });
    return;
  }
  if (args === null) return;
  const isPartial =
    isExtension || context.argumentsElsewhere || args.has('use') || args.has('names');
  if (isPartial) return checkNames(args, type, { context, keys: schemaKeys(schema.schema) });
  const requisites = new Map([[KEY, requisitesIn(args, context)]]);
  const draft = draftOf(state, args);
  checkDraft(draft, { ...context, requisites, isRendered: false });
}

function isKnownModule(type: string, { states }: Lint): boolean {
  return [...states.keys()].some((name) => moduleOf(name) === moduleOf(type));
}

const KEY = 'lint';

function draftOf({ id, idPlace, written: { type, key } }: WrittenState, args: Arguments): Draft {
  const literal = [...args].filter(([word]) => !isLoopWord(word)).map(blanked);
  const scope = { names: new Map(), chain: [] };
  const all = new Map([defaultName(id, idPlace), ...literal]);
  const common = { id, idPlace, type, place: key.place, stateFile: '', idScope: scope };
  return { ...common, key: KEY, name: id, args: all, scope, ports: new Map() };
}

function defaultName(id: string, place: Place): [string, Entry] {
  const keyNode = { kind: 'scalar' as const, place, value: 'name' };
  const value: Node = hasExpression(id)
    ? { kind: 'broken', place }
    : { kind: 'scalar', place, value: id };
  return ['name', { key: 'name', keyNode, value }];
}

/** What is computed on the minion is taken to be right. */
function blanked([word, entry]: readonly [string, Entry]): [string, Entry] {
  return [word, { ...entry, value: blank(entry.value) }];
}

function blank(node: Node): Node {
  if (node.kind === 'sequence') return { ...node, items: node.items.map(blank) };
  if (node.kind === 'mapping' && !node.entries.some(({ key }) => hasExpression(key))) {
    const entries = node.entries.map((entry) => ({ ...entry, value: blank(entry.value) }));
    return { ...node, entries };
  }
  return isDynamic(node) ? { kind: 'broken', place: node.place } : node;
}

/** Which requisites a state has is seen on its words; others may point at it from anywhere. */
function requisitesIn(args: Arguments, { guardsElsewhere }: Lint): readonly Requisite[] {
  const kinds = REQUISITE_KINDS.filter((kind) => args.has(kind) || guardsElsewhere);
  return kinds.map((kind) => ({ kind, targets: [KEY], implied: false }));
}

interface Naming {
  readonly context: Lint;
  readonly keys: ReadonlyMap<string, unknown>;
}

function checkNames(args: Arguments, type: string, { context, keys }: Naming): void {
  const known = new Set([...keys.keys(), ...COMMON_WORDS]);
  if (keys.size === 0) return;
  for (const [word, { keyNode }] of args) {
    if (known.has(word) || hasExpression(word)) continue;
    const message = `unknown argument "${word}" of ${type}`;
    const help = hint(word, known, `${type} takes ${[...known].join(', ')}`);
    context.problems.add(keyNode.place, message, { help });
  }
}
