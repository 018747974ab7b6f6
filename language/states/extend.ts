import { globMatcher } from '../values/glob.ts';
import { isWholeModule, moduleOf } from './arguments.ts';
import type { Extension, State } from './expand.ts';
import type { Instance } from './load.ts';
import { describeNode, textOf, type Entry, type Node } from '../values/node.ts';
import { showPlace } from '../place.ts';
import type { Link, Problems } from '../problem.ts';
import { isRequisiteWord } from './words.ts';
import { hint } from '../values/hint.ts';

/** Reports IDs that two places declare. */
export function refuseDuplicates(states: readonly State[], problems: Problems): void {
  const first = new Map<string, State>();
  for (const state of states) {
    const before = first.get(state.id);
    if (before === undefined) first.set(state.id, state);
    else if (isOther(before, state)) {
      problems.add(state.idPlace, `the ID "${state.id}" is declared twice`, {
        help: `the first one is at ${showPlace(before.idPlace)}`,
        chain: state.scope.chain,
      });
    }
  }
}

/** An ID with several states, or a state with an `each` of its own, is still one. */
function isOther(a: State, b: State): boolean {
  return showPlace(a.idPlace) !== showPlace(b.idPlace) || a.idScope !== b.idScope;
}

/** Puts what `extend` says onto the states it names: requisites are appended, the rest replaced. */
export function applyExtensions(
  states: readonly State[],
  extensions: readonly Extension[],
  problems: Problems,
): readonly State[] {
  const extended = [...states];
  const known = new Set(states.map(({ id }) => id));
  for (const extension of extensions) {
    const ids = extended.filter(({ id }) => id === extension.id);
    if (ids.length === 0) unknownId({ ...extension, ...extension.scope }, known, problems);
    else extendOne(extended, extension, problems);
  }
  return extended;
}

/** Says that an `extend` names nothing, and what may have been meant. */
export function unknownId(
  { id, idPlace, chain }: Pick<Extension, 'id' | 'idPlace'> & { readonly chain: readonly Link[] },
  ids: ReadonlySet<string>,
  problems: Problems,
): void {
  problems.add(idPlace, `"extend" names the ID "${id}", which nothing declares`, {
    help: hint(id, ids, 'include the file that declares it'),
    chain,
  });
}

function extendOne(states: State[], extension: Extension, problems: Problems): void {
  const index = states.findLastIndex(
    ({ id, type }) => id === extension.id && moduleOf(type) === moduleOf(extension.type),
  );
  const state = states[index];
  if (isWholeModule(extension.type)) {
    if (state === undefined) missingModule(extension, problems);
    else states[index] = merged(state, extension);
  } else if (state === undefined) {
    states.splice(states.findLastIndex(({ id }) => id === extension.id) + 1, 0, extension);
  } else if (state.type === extension.type) states[index] = merged(state, extension);
  else {
    const message = `"${extension.id}" is "${state.type}", so "${extension.type}" cannot extend it`;
    const help = `it is declared at ${showPlace(state.place)}`;
    problems.add(extension.place, message, { help, chain: extension.scope.chain });
  }
}

function missingModule({ id, type, place, scope }: Extension, problems: Problems): void {
  const module = moduleOf(type);
  const message = `"extend" means the "${module}" of "${id}", which has none`;
  problems.add(place, message, {
    help: `write "${module}.FUNCTION" to add one`,
    chain: scope.chain,
  });
}

function merged(state: State, { args, ports }: Extension): State {
  const all = new Map<string, Entry>(state.args);
  for (const [key, entry] of args) {
    const before = all.get(key);
    const isAppended = before !== undefined && isRequisiteWord(key);
    all.set(key, isAppended ? { ...entry, value: joined(before.value, entry.value) } : entry);
  }
  return { ...state, args: all, ports: new Map([...state.ports, ...ports]) };
}

function joined(a: Node, b: Node): Node {
  return { kind: 'sequence', place: b.place, items: [...itemsOf(a), ...itemsOf(b)] };
}

function itemsOf(node: Node): readonly Node[] {
  return node.kind === 'sequence' ? node.items : [node];
}

/** Leaves out what an `exclude` names: `{id: x}`, `{file: a.b}`, or just a file, with globs. */
export function applyExcludes(
  states: readonly State[],
  instances: readonly Instance[],
  problems: Problems,
): readonly State[] {
  const excludes = instances.flatMap(({ file: { exclude }, scope }) => {
    const items = exclude === null || exclude.kind === 'broken' ? [] : itemsOf(exclude);
    return items.flatMap((item) => readExclude(item, { problems, chain: scope.chain }));
  });
  const files = instances.map(({ file }) => file.name);
  for (const { kind, test, node, text, chain } of excludes) {
    const known = kind === 'id' ? states.map(({ id }) => id) : files;
    if (known.some(test)) continue;
    const message = `"exclude" names the ${kind} "${text}", which is not there`;
    problems.add(node.place, message, { help: hint(text, new Set(known), null), chain });
  }
  return states.filter(
    (state) => !excludes.some(({ kind, test }) => test(kind === 'id' ? state.id : state.stateFile)),
  );
}

interface Exclude {
  readonly kind: 'id' | 'file';
  readonly text: string;
  readonly node: Node;
  readonly test: (text: string) => boolean;
  readonly chain: readonly Link[];
}

interface Where {
  readonly problems: Problems;
  readonly chain: readonly Link[];
}

function readExclude(node: Node, { problems, chain }: Where): Exclude[] {
  const { key, value } = excludeParts(node);
  const text = textOf(value);
  if (text !== null && EXCLUDE_WORDS.has(key)) {
    return [
      { kind: key === 'id' ? 'id' : 'file', text, node: value, test: globMatcher(text), chain },
    ];
  }
  const help = 'write "- id: NAME" or "- file: NAME"';
  problems.add(node.place, `"exclude" cannot be ${describeNode(node)}`, { help, chain });
  return [];
}

const EXCLUDE_WORDS = new Set(['id', 'file', 'sls']);

function excludeParts(node: Node): { key: string; value: Node } {
  if (node.kind !== 'mapping') return { key: 'file', value: node };
  const [entry, second] = node.entries;
  return entry === undefined || second !== undefined ? { key: '', value: node } : entry;
}
