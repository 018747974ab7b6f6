import { readArguments, type Arguments } from './arguments.ts';
import type { State } from './expand.ts';
import { describeNode, lift, type Entry, type Node } from '../values/node.ts';
import type { Problems } from '../problem.ts';

/** A state with one name: what becomes one declaration. */
export interface Draft extends State {
  readonly key: string;
  readonly name: string;
}

/** One draft for each name: `names`, `name`, or the ID. */
export function draftsOf(state: State, problems: Problems): readonly Draft[] {
  const names = state.args.get('names');
  if (names === undefined) return [draftOf(state, state.args)];
  const rest = new Map(state.args);
  rest.delete('names');
  if (names.value.kind === 'broken') return [];
  if (names.value.kind !== 'sequence') {
    const message = `"names" is a list, got ${describeNode(names.value)}`;
    problems.add(names.value.place, message, { chain: state.scope.chain });
    return [];
  }
  return names.value.items.flatMap((item) => named(state, { rest, item, problems }));
}

interface Naming {
  readonly rest: Arguments;
  readonly item: Node;
  readonly problems: Problems;
}

/** An item is a name, or a name with arguments of its own below it. */
function named(state: State, { rest, item, problems }: Naming): Draft[] {
  const [entry, second] = item.kind === 'mapping' ? item.entries : [];
  const isPlain = item.kind === 'scalar' && item.value !== null;
  if (item.kind === 'broken') return [];
  if (!isPlain && (entry === undefined || second !== undefined)) {
    const message = `"names" lists names, got ${describeNode(item)}`;
    problems.add(item.place, message, { chain: state.scope.chain });
    return [];
  }
  const where = { problems, chain: state.scope.chain };
  const own = entry === undefined ? new Map() : readArguments(entry.value, state.type, where);
  const name = nameEntry(entry === undefined ? item : entry.keyNode);
  return [draftOf(state, new Map([...rest, ['name', name], ...own]))];
}

function nameEntry(node: Node): Entry {
  const keyNode = { kind: 'scalar' as const, place: node.place, value: 'name' };
  return { key: 'name', keyNode, value: node };
}

function draftOf(state: State, args: Arguments): Draft {
  const given = args.get('name')?.value;
  const isText =
    given?.kind === 'scalar' &&
    (typeof given.value === 'string' || typeof given.value === 'number');
  const name = isText ? String(given.value) : state.id;
  const all = args.has('name')
    ? args
    : new Map([...args, ['name', nameEntry(lift(state.id, state.idPlace))] as const]);
  return { ...state, args: all, name, key: `${state.type}|${state.id}|${name}` };
}

/** Reports drafts that could not be told apart. */
export function refuseTwins(drafts: readonly Draft[], problems: Problems): void {
  const seen = new Map<string, Draft>();
  for (const draft of drafts) {
    const { key, id, type, name, place, scope, idScope } = draft;
    // An ID that is declared twice has been told.
    if (seen.get(key)?.idScope === idScope) {
      const message = `"${id}" has two ${type} of the name "${name}"`;
      problems.add(place, message, { help: 'give each a name of its own', chain: scope.chain });
    }
    seen.set(key, draft);
  }
}
