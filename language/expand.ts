import { readArguments, readStates, type Arguments, type Written } from './arguments.ts';
import { evaluateKey, evaluateNode, hasExpression } from './expression.ts';
import type { Instance } from './load.ts';
import { iterate } from './loop.ts';
import type { Entry, MappingNode, Node } from './node.ts';
import type { Place } from './place.ts';
import type { Scope, Workshop } from './scope.ts';
import { isLoopWord, loopOf } from './state-file.ts';

/** One state as its file declares it, with all expressions computed, but not checked yet. */
export interface State {
  readonly id: string;
  readonly idPlace: Place;
  readonly type: string;
  readonly place: Place;
  readonly stateFile: string;
  readonly args: Arguments;
  readonly scope: Scope;
  /** The same for all states that one ID at one place and item declares. */
  readonly idScope: Scope;
  /** The ports that its expressions named. */
  readonly ports: Map<string, number>;
}

/** What an `extend` says of one state. */
export type Extension = State;

/** The states of one file: once for each item that the file, an ID or a state is there for. */
export function expandInstance({ file, scope }: Instance, workshop: Workshop): readonly State[] {
  return iterate(file.loop, scope, workshop).flatMap((item) =>
    file.states.flatMap((entry) => expandId(entry, file.name, { scope: item, workshop })),
  );
}

/** The extensions that one file makes. */
export function extensionsOf({ file, scope }: Instance, workshop: Workshop): readonly Extension[] {
  const entries = file.extend?.entries ?? [];
  if (entries.length === 0) return [];
  return iterate(file.loop, scope, workshop).flatMap((item) =>
    entries.flatMap((entry) => expandId(entry, file.name, { scope: item, workshop })),
  );
}

interface Setting {
  readonly scope: Scope;
  readonly workshop: Workshop;
}

function expandId(entry: Entry, stateFile: string, { scope, workshop }: Setting): readonly State[] {
  const { value } = entry;
  const loop = loopOf(value.kind === 'mapping' ? value.entries : []);
  return iterate(loop, scope, workshop).flatMap((item) => {
    const key = evaluateKey(entry, item, workshop);
    if (key === null) return [];
    const where = { problems: workshop.problems, chain: item.chain };
    const states = readStates(key.value, withoutLoop(value), where);
    refuseTwice(key.value, states, where);
    const head = { id: key.value, idPlace: key.place, stateFile, idScope: item };
    return states.flatMap((written) => expandState(written, head, { scope: item, workshop }));
  });
}

function withoutLoop(node: Node): Node {
  if (node.kind !== 'mapping') return node;
  return { ...node, entries: node.entries.filter(({ key }) => !isLoopWord(key)) };
}

function refuseTwice(
  id: string,
  states: readonly Written[],
  { problems, chain }: { problems: Workshop['problems']; chain: Scope['chain'] },
): void {
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

export function moduleOf(type: string): string {
  return type.slice(0, type.indexOf('.'));
}

type Head = Pick<State, 'id' | 'idPlace' | 'stateFile' | 'idScope'>;

function expandState(
  { type, key, node }: Written,
  head: Head,
  { scope, workshop }: Setting,
): readonly State[] {
  const where = { problems: workshop.problems, chain: scope.chain };
  const isComputed = node.kind === 'scalar' && hasExpression(node.value);
  const args = readArguments(isComputed ? evaluateNode(node, scope, workshop) : node, type, where);
  const entries = [...args.values()];
  const rest: MappingNode = {
    kind: 'mapping',
    place: node.place,
    entries: entries.filter((entry) => !isLoopWord(entry.key)),
  };
  return iterate(loopOf(entries), scope, workshop).map((item) => {
    const ports = new Map<string, number>();
    const computed = evaluateNode(rest, item, { ...workshop, ports });
    const inner = { problems: workshop.problems, chain: item.chain };
    return {
      ...head,
      type,
      place: key.place,
      args: readArguments(computed, type, inner),
      scope: item,
      ports,
    };
  });
}
