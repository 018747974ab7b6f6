import { describeNode, lift, textOf, type Entry, type Node } from '../values/node.ts';
import { showPlace } from '../place.ts';
import type { Link, Problems } from '../problem.ts';

export type Arguments = ReadonlyMap<string, Entry>;

interface Where {
  readonly problems: Problems;
  readonly chain: readonly Link[];
  /** Of an `extend`: a module alone stands for the state of it that the ID has. */
  readonly isExtension?: boolean;
}

/**
 * Arguments are a mapping, or as in Salt a list of one-key mappings; nothing at all is none.
 * Mistakes are reported.
 */
export function readArguments(node: Node, what: string, where: Where): Arguments {
  const found = new Map<string, Entry>();
  for (const entry of entriesIn(node, what, where)) {
    const first = found.get(entry.key);
    if (first === undefined) found.set(entry.key, entry);
    else {
      const help = `the first one is at ${showPlace(first.keyNode.place)}`;
      const message = `the argument "${entry.key}" of ${what} stands here twice`;
      where.problems.add(entry.keyNode.place, message, { help, chain: where.chain });
    }
  }
  return found;
}

function entriesIn(node: Node, what: string, where: Where): readonly Entry[] {
  if (node.kind === 'mapping') return node.entries;
  if (node.kind === 'broken' || (node.kind === 'scalar' && node.value === null)) return [];
  if (node.kind === 'sequence') return node.items.flatMap((item) => itemEntries(item, what, where));
  const message = `${what} takes a mapping of arguments, got ${describeNode(node)}`;
  where.problems.add(node.place, message, { chain: where.chain });
  return [];
}

function itemEntries(item: Node, what: string, { problems, chain }: Where): readonly Entry[] {
  if (item.kind === 'mapping') return item.entries;
  if (item.kind === 'broken') return [];
  const help = 'in the list form an argument is "- name: value"';
  problems.add(item.place, `an argument of ${what} has no name: ${describeNode(item)}`, {
    help,
    chain,
  });
  return [];
}

/** A list of one-key mappings as one mapping; anything else as it is. */
export function asMapping(node: Node): Node {
  if (node.kind !== 'sequence' || node.items.length === 0) return node;
  const mappings = node.items.flatMap((item) => (item.kind === 'mapping' ? [item] : []));
  if (mappings.length !== node.items.length) return node;
  return {
    kind: 'mapping',
    place: node.place,
    entries: mappings.flatMap(({ entries }) => entries),
  };
}

/** One state as it is written below an ID: its type and the node of its arguments. */
export interface Written {
  readonly type: string;
  readonly key: Entry['keyNode'];
  readonly node: Node;
}

const TYPE = /^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/u;
const MODULE = /^[a-z][a-z0-9_]*$/u;

/** The states below one ID, in Salt's short forms too: `curl: pkg.installed`, `pkg: [installed]`. */
export function readStates(id: string, node: Node, where: Where): readonly Written[] {
  if (node.kind === 'broken') return [];
  const { problems, chain } = where;
  const text = textOf(node);
  if (node.kind === 'scalar' && text !== null && TYPE.test(text)) {
    return [{ type: text, key: node, node: lift(null, node.place) }];
  }
  if (node.kind !== 'mapping') {
    const help = 'write "module.function:" with its arguments below the ID';
    problems.add(node.place, `"${id}" holds no state but ${describeNode(node)}`, { help, chain });
    return [];
  }
  const states = node.entries.flatMap((entry) => readState(entry, where));
  refuseTwice(id, states, where);
  return states;
}

function readState({ key, keyNode, value }: Entry, where: Where): Written[] {
  const { problems, chain, isExtension = false } = where;
  if (TYPE.test(key)) return [{ type: key, key: keyNode, node: value }];
  const short = MODULE.test(key) ? shortForm(value) : null;
  if (short !== null) return [{ type: `${key}.${short.verb}`, key: keyNode, node: short.node }];
  if (value.kind === 'broken') return [];
  if (isExtension && MODULE.test(key)) return [{ type: `${key}.`, key: keyNode, node: value }];
  const help = 'a state is "module.function", such as pkg.installed';
  problems.add(keyNode.place, `"${key}" is no state`, { help, chain });
  return [];
}

function shortForm(node: Node): { verb: string; node: Node } | null {
  const items = node.kind === 'sequence' ? node.items : [node];
  const verbs = items.flatMap((item) => textOf(item) ?? []);
  const [verb, second] = verbs;
  if (verb === undefined || second !== undefined || !MODULE.test(verb)) return null;
  const rest: Node = {
    kind: 'sequence',
    place: node.place,
    items: items.filter((item) => textOf(item) === null),
  };
  return { verb, node: rest };
}

function refuseTwice(id: string, states: readonly Written[], { problems, chain }: Where): void {
  const modules = new Map<string, string>();
  for (const { type, key } of states) {
    const module = moduleOf(type);
    const first = modules.get(module);
    modules.set(module, first ?? type);
    if (first === undefined) continue;
    const help = 'one state of a module for each ID: give the second an ID of its own';
    problems.add(key.place, `"${id}" has "${first}" already`, { help, chain });
  }
}

/** `pkg.` is how an `extend` names whatever state of that module the ID has. */
export function isWholeModule(type: string): boolean {
  return type.endsWith('.');
}

/** `pkg` of `pkg.installed`. */
export function moduleOf(type: string): string {
  return type.slice(0, type.indexOf('.'));
}
