import { describe, FORBIDDEN_KEYS } from './values/data.ts';
import { evaluateParts, isTrue } from './expressions/evaluate.ts';
import {
  lift,
  textOf,
  type BrokenNode,
  type Entry,
  type MappingNode,
  type Node,
  type ScalarNode,
} from './values/node.ts';
import { cameFrom } from './pillars/provenance.ts';
import { showPlace, type Place } from './place.ts';
import { rootFrame, type Scope, type Workshop } from './expressions/scope.ts';
import { parseSyntax } from './expressions/syntax.ts';
import { SpotMistake, type Part, type Spot } from './expressions/syntax-tree.ts';

/**
 * A node with every expression in its texts and keys computed. Mistakes are reported, and leave
 * a broken node where the value would be.
 */
export function evaluateNode(node: Node, scope: Scope, workshop: Workshop): Node {
  if (node.kind === 'scalar') return evaluateScalar(node, scope, workshop);
  if (node.kind === 'broken') return node;
  if (node.kind === 'sequence') {
    if (!isDynamic(node)) return node;
    return { ...node, items: node.items.map((item) => evaluateNode(item, scope, workshop)) };
  }
  return isDynamic(node) ? evaluateMapping(node, scope, workshop) : node;
}

export function hasExpression(text: unknown): boolean {
  return typeof text === 'string' && text.includes('{{');
}

const dynamic = new WeakMap<Node, boolean>();

/** Whether anything below still has to be computed. Nodes never change, so one look is enough. */
export function isDynamic(node: Node): boolean {
  if (node.kind === 'scalar') return hasExpression(node.value);
  if (node.kind === 'broken') return false;
  const known =
    dynamic.get(node) ?? (node.kind === 'sequence' ? node.items.some(isDynamic) : hasDynamic(node));
  dynamic.set(node, known);
  return known;
}

function hasDynamic({ entries }: MappingNode): boolean {
  return entries.some(({ key, value }) => hasExpression(key) || isDynamic(value));
}

function evaluateScalar(node: ScalarNode, scope: Scope, workshop: Workshop): Node {
  const text = textOf(node);
  if (text === null || !hasExpression(text)) return node;
  const { trail, provenance } = workshop;
  trail.length = 0;
  try {
    const frame = rootFrame(scope.names, { isOpen: false });
    const data = evaluateParts(syntaxOf(text, workshop), frame, workshop);
    return lift(data, node.place, { trail: [...trail], ofPart: provenance.ofPart });
  } catch (error) {
    return report(error, { node, text, scope, workshop });
  }
}

type Chain = Scope['chain'];

/** Reads all expressions below a node without computing them; mistakes are reported. */
export function checkSyntax(node: Node, workshop: Workshop, chain: Chain = []): void {
  if (node.kind === 'scalar') checkScalar(node, workshop, chain);
  for (const below of childrenOf(node)) checkSyntax(below, workshop, chain);
}

function childrenOf(node: Node): readonly Node[] {
  if (node.kind === 'sequence') return node.items;
  return node.kind === 'mapping'
    ? node.entries.flatMap(({ keyNode, value }) => [keyNode, value])
    : [];
}

function checkScalar(node: ScalarNode, workshop: Workshop, chain: Chain): void {
  const text = textOf(node);
  if (text === null || node.sealed === true || !hasExpression(text)) return;
  try {
    syntaxOf(text, workshop);
  } catch (error) {
    report(error, { node, text, scope: { names: new Map(), chain }, workshop });
  }
}

/** Whether a `when` lets things be; broken ones do not. */
export function isWanted(when: Node | null, scope: Scope, workshop: Workshop): boolean {
  if (when === null) return true;
  const node = evaluateNode(when, scope, workshop);
  if (node.kind === 'broken') return false;
  if (node.kind !== 'scalar') return node.kind === 'mapping' || node.items.length > 0;
  return isTrue(node.value);
}

export function syntaxOf(text: string, { syntax }: Workshop): readonly Part[] {
  const known = syntax.get(text);
  if (known !== undefined) return known;
  const parts = parseSyntax(text);
  syntax.set(text, parts);
  return parts;
}

interface Attempted {
  readonly node: ScalarNode;
  readonly text: string;
  readonly scope: Scope;
  readonly workshop: Workshop;
}

function report(error: unknown, { node, text, scope, workshop }: Attempted): BrokenNode {
  if (!(error instanceof SpotMistake)) throw error;
  const place = placeOf(node, text, error.spot);
  const owner = workshop.provenance.ofWhole(error.owner);
  const chain = [...cameFrom(owner === null ? workshop.trail : [owner]), ...scope.chain];
  workshop.problems.add(place, error.message, { help: error.help, chain });
  return { kind: 'broken', place };
}

function placeOf({ at, place }: ScalarNode, text: string, { line, column }: Spot): Place {
  if (at === undefined) return place;
  const lines = text.split('\n').slice(0, line - 1);
  return at(lines.reduce((sum, { length }) => sum + length + 1, 0) + column);
}

function evaluateMapping(node: MappingNode, scope: Scope, workshop: Workshop): Node {
  const entries = new Map<string, Entry>();
  for (const entry of node.entries) {
    const keyNode = evaluateKey(entry, scope, workshop);
    const value = evaluateNode(entry.value, scope, workshop);
    const key = keyNode?.value ?? entry.key;
    const first = entries.get(key);
    if (first === undefined) {
      const isKnown = keyNode !== null;
      entries.set(key, {
        key,
        keyNode: keyNode ?? entry.keyNode,
        value: isKnown ? value : { kind: 'broken', place: value.place },
      });
    } else {
      const help = `the first one is at ${showPlace(first.keyNode.place)}`;
      const message = `the key "${key}" stands here twice`;
      workshop.problems.add(entry.keyNode.place, message, { help, chain: scope.chain });
    }
  }
  return { ...node, entries: [...entries.values()] };
}

type TextNode = ScalarNode & { readonly value: string };

/** The key of an entry, computed; `null` if it is broken. */
export function evaluateKey(
  { key, keyNode }: Pick<Entry, 'key' | 'keyNode'>,
  scope: Scope,
  workshop: Workshop,
): TextNode | null {
  if (!hasExpression(key)) return { ...keyNode, value: key };
  const computed = evaluateScalar({ ...keyNode, value: key }, scope, workshop);
  if (computed.kind === 'broken') return null;
  const value = computed.kind === 'scalar' ? computed.value : null;
  if (typeof value === 'number') return { ...keyNode, value: String(value) };
  if (typeof value === 'string' && value !== '' && !FORBIDDEN_KEYS.has(value)) {
    return { ...keyNode, value };
  }
  const what = computed.kind === 'scalar' ? describe(computed.value) : `a ${computed.kind}`;
  workshop.problems.add(keyNode.place, `a key must be a text, got ${what}`, { chain: scope.chain });
  return null;
}
