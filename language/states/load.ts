import { canonicalJson } from '../../shared/canonical-json.ts';
import { reveal, type DataMapping } from '../values/data.ts';
import { checkSyntax, evaluateNode, isWanted } from '../expression.ts';
import {
  dataOf,
  describeNode,
  entryOf,
  isBroken,
  textOf,
  type MappingNode,
  type Node,
} from '../values/node.ts';
import { bindParams, type Given, type GivenValue } from './params.ts';
import type { Link } from '../problem.ts';
import { iterate } from './loop.ts';
import { absoluteName, inBase } from './include.ts';
import { extend, type Scope, type Workshop } from '../expressions/scope.ts';
import { loopOf, readStateFile, type StateFile } from '../state-file.ts';
import { expand, missingFile, type NamedFile } from '../top.ts';
import { namedFiles } from './tree-files.ts';
import type { Tree } from '../tree.ts';

/** A state file with the params it was given: what its expressions can name. */
export interface Instance {
  readonly file: StateFile;
  readonly scope: Scope;
}

interface Loading {
  readonly tree: Tree;
  readonly workshop: Workshop;
  readonly scope: Scope;
  readonly known: ReadonlyMap<string, readonly string[]>;
  readonly parsed: Map<string, StateFile | null>;
  readonly done: Set<string>;
  readonly instances: Instance[];
}

interface Request {
  readonly file: NamedFile;
  readonly given: Given;
  /** The files that led here, outermost first. */
  readonly path: readonly string[];
}

export interface Roots {
  readonly files: readonly NamedFile[];
  /** From `--set`, for the root files that declare them. */
  readonly params: DataMapping;
  /** Words for what led to the root files; `null` if it was the command line. */
  readonly listed: string | null;
}

const COMMAND_LINE = { file: '(command line)', line: 1, column: 1 };

/**
 * All state files that the roots need: included ones first, depth first, each once per params. One that includes a file
 * which is being read already passes it over, as Salt does.
 */
export function loadFiles(
  { files, params, listed }: Roots,
  { tree, workshop, scope }: Pick<Loading, 'tree' | 'workshop' | 'scope'>,
): readonly Instance[] {
  const known = namedFiles(tree, 'states');
  const loading: Loading = {
    tree,
    workshop,
    scope,
    known,
    parsed: new Map(),
    done: new Set(),
    instances: [],
  };
  const values = new Map(
    Object.entries(params).map(([name, data]) => [
      name,
      { data, place: COMMAND_LINE, keyPlace: COMMAND_LINE },
    ]),
  );
  for (const file of files) {
    const chain = listed === null ? [] : [{ words: listed, place: file.place }];
    visit({ file, given: { values, place: file.place, chain, isText: true }, path: [] }, loading);
  }
  refuseUnusedParams(files, params, loading);
  return loading.instances;
}

/** A param of the command line that no root file declares is a slip of the hand. */
function refuseUnusedParams(
  files: readonly NamedFile[],
  params: DataMapping,
  { parsed, workshop }: Loading,
): void {
  const roots = files.flatMap(({ name }) => parsed.get(name) ?? []);
  const declared = roots.flatMap(({ params: own }) => own?.entries.map(({ key }) => key) ?? []);
  for (const name of Object.keys(params).filter((param) => !declared.includes(param))) {
    const help =
      declared.length === 0 ? 'none declares any' : `declared are ${declared.join(', ')}`;
    workshop.problems.add(
      COMMAND_LINE,
      `no state file that is applied declares the param "${name}"`,
      {
        help,
      },
    );
  }
}

function visit({ file, given, path }: Request, loading: Loading): void {
  const { workshop, scope, done } = loading;
  const stateFile = parsedFile(file, given.chain, loading);
  if (stateFile === null) return;
  const inner: Scope = { names: scope.names, chain: given.chain };
  const params = bindParams(stateFile, given, inner, workshop);
  if (params === null) return;
  const key = `${file.name} ${canonicalJson(reveal(params))}`;
  if (done.has(key)) return;
  if (path.includes(file.name)) {
    const message = `"${file.name}" includes itself, with other params: ${[...path, file.name].join(' -> ')}`;
    return workshop.problems.add(file.place, message, { chain: given.chain.slice(1) });
  }
  done.add(key);
  const own = extend(inner, [['params', params]]);
  const { each, when } = stateFile.loop;
  if (each === null && !isWanted(when, own, workshop)) return;
  for (const request of includesOf(stateFile, own, { loading, path })) visit(request, loading);
  loading.instances.push({ file: stateFile, scope: own });
}

function parsedFile(file: NamedFile, chain: readonly Link[], loading: Loading): StateFile | null {
  const { tree, known, workshop, parsed } = loading;
  const { problems } = workshop;
  const before = parsed.get(file.name);
  if (before !== undefined) return before;
  const isKnown = known.has(file.name);
  if (!isKnown) missingFile(file, { known, folder: 'states', problems, chain: chain.slice(1) });
  const stateFile = isKnown ? readStateFile(tree, file, problems, chain.slice(1)) : null;
  // Also of what a "when" leaves out.
  if (stateFile !== null) checkSyntax(stateFile.node, workshop, chain);
  parsed.set(file.name, stateFile);
  return stateFile;
}

interface Including {
  readonly loading: Loading;
  readonly path: readonly string[];
}

function includesOf(file: StateFile, scope: Scope, including: Including): readonly Request[] {
  const { include } = file;
  if (include === null || include.kind === 'broken') return [];
  const items = include.kind === 'sequence' ? include.items : [include];
  return items.flatMap((item) => includeItem(item, { file, scope, including }));
}

interface Includer {
  readonly file: StateFile;
  readonly scope: Scope;
  readonly including: Including;
}

function includeItem(item: Node, includer: Includer): Request[] {
  const { workshop } = includer.including.loading;
  if (item.kind === 'broken') return [];
  if (item.kind !== 'mapping') return requestOf(item, null, includer);
  const ofBase = inBase(item, includer.file);
  if (ofBase !== null) return requestOf(ofBase, null, includer);
  const name = entryOf(item, 'file')?.value;
  const unknown = item.entries.find(({ key }) => !INCLUDE_WORDS.includes(key));
  if (unknown === undefined && name !== undefined) {
    const scopes = iterate(loopOf(item.entries), includer.scope, workshop);
    return scopes.flatMap((scope) => requestOf(name, item, { ...includer, scope }));
  }
  const message =
    unknown === undefined
      ? 'an include has a "file"'
      : `unknown key "${unknown.key}" in an include`;
  const help = `its keys are ${INCLUDE_WORDS.join(', ')}`;
  workshop.problems.add(unknown?.keyNode.place ?? item.place, message, { help });
  return [];
}

const INCLUDE_WORDS: readonly string[] = ['file', 'params', 'each', 'as', 'when'];

function requestOf(name: Node, item: MappingNode | null, includer: Includer): Request[] {
  const { file, scope, including } = includer;
  const { workshop } = including.loading;
  const computed = evaluateNode(name, scope, workshop);
  const text = textOf(computed);
  if (text === null) {
    if (isBroken(computed)) return [];
    const message = `an include is the name of a file, got ${describeNode(computed)}`;
    workshop.problems.add(name.place, message, { chain: scope.chain });
    return [];
  }
  const values: Given['values'] | null =
    item === null ? new Map() : givenParams(item, scope, workshop);
  if (values === null) return [];
  const chain = [{ words: 'included from', place: name.place }, ...scope.chain];
  const given: Given = { values, place: name.place, chain, isText: false };
  const target = { name: absoluteName(text, file), place: name.place };
  const path = [...including.path, file.name];
  const targets = expand(target, including.loading.known).filter(
    (one) => one.name === target.name || one.name !== file.name,
  );
  return (targets.length === 0 ? [target] : targets).map((one) => ({ file: one, given, path }));
}

function givenParams(item: MappingNode, scope: Scope, workshop: Workshop): Given['values'] | null {
  const params = entryOf(item, 'params')?.value;
  const computed = params === undefined ? null : evaluateNode(params, scope, workshop);
  const values = new Map<string, GivenValue>();
  if (computed === null) return values;
  if (isBroken(computed)) return null;
  if (computed.kind !== 'mapping') {
    const message = `"params" is a mapping, got ${describeNode(computed)}`;
    workshop.problems.add(computed.place, message, { chain: scope.chain });
    return null;
  }
  for (const { key, keyNode, value } of computed.entries) {
    const data = dataOf(value);
    workshop.provenance.carry(value, data);
    values.set(key, { data, keyPlace: keyNode.place, place: value.place });
  }
  return values;
}
