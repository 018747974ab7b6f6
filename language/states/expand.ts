import { readArguments, readStates, type Arguments, type Written } from './arguments.ts';
import { evaluateKey, evaluateNode, hasExpression } from '../expression.ts';
import type { Instance } from './load.ts';
import { iterate } from './loop.ts';
import type { Entry, MappingNode, Node } from '../values/node.ts';
import type { Place } from '../place.ts';
import type { Scope, Workshop } from '../expressions/scope.ts';
import { isLoopWord, loopOf } from '../state-file.ts';

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
    entries.flatMap((entry) =>
      expandId(entry, file.name, { scope: item, workshop, isExtension: true }),
    ),
  );
}

interface Setting {
  readonly scope: Scope;
  readonly workshop: Workshop;
  readonly isExtension?: boolean;
}

function expandId(entry: Entry, stateFile: string, setting: Setting): readonly State[] {
  const { scope, workshop, isExtension = false } = setting;
  const { value } = entry;
  const loop = loopOf(value.kind === 'mapping' ? value.entries : []);
  return iterate(loop, scope, workshop).flatMap((item) => {
    const key = evaluateKey(entry, item, workshop);
    if (key === null) return [];
    const where = { problems: workshop.problems, chain: item.chain, isExtension };
    const states = readStates(key.value, withoutLoop(value), where);
    const head = { id: key.value, idPlace: key.place, stateFile, idScope: item };
    return states.flatMap((written) => expandState(written, head, { scope: item, workshop }));
  });
}

function withoutLoop(node: Node): Node {
  if (node.kind !== 'mapping') return node;
  return { ...node, entries: node.entries.filter(({ key }) => !isLoopWord(key)) };
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
  const literal = new Map(rest.entries.map((entry) => [entry.key, entry]));
  return iterate(loopOf(entries), scope, workshop).map((item) => {
    const ports = new Map<string, number>();
    const computed = evaluateNode(rest, item, { ...workshop, ports });
    const inner = { problems: workshop.problems, chain: item.chain };
    return {
      ...head,
      type,
      place: key.place,
      args: computed === rest ? literal : readArguments(computed, type, inner),
      scope: item,
      ports,
    };
  });
}
