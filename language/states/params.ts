import { Buffer } from 'node:buffer';
import { Secret } from '../../shared/secret.ts';
import { describe, isList, isMapping, type Data, type DataMapping } from '../values/data.ts';
import { evaluateNode } from '../expression.ts';
import {
  dataOf,
  describeNode,
  entryOf,
  isBroken,
  lift,
  textOf,
  type Entry,
  type Node,
} from '../values/node.ts';
import type { Place } from '../place.ts';
import { collectProblems, type Link } from '../problem.ts';
import { resolvePlain } from '../values/scalar.ts';
import type { Scope, Workshop } from '../expressions/scope.ts';
import type { StateFile } from '../state-file.ts';
import { parseYaml } from '../yaml.ts';
import { hint } from '../values/hint.ts';

export const PARAM_TYPES = [
  'string',
  'number',
  'integer',
  'boolean',
  'list',
  'mapping',
  'any',
] as const;

type ParamType = (typeof PARAM_TYPES)[number];

interface Param {
  readonly type: ParamType;
  readonly place: Place;
  /** `null` if it must be given. */
  readonly fallback: Node | null;
}

export interface GivenValue {
  readonly data: Data;
  readonly place: Place;
  readonly keyPlace: Place;
}

/** What a file is given: data with places, and where a missing one is to be told. */
export interface Given {
  readonly values: ReadonlyMap<string, GivenValue>;
  readonly place: Place;
  readonly chain: readonly Link[];
  /** From the command line, where everything is text. */
  readonly isText: boolean;
}

/** The params of a file: declared, given or defaulted, of the right type. `null` after a mistake. */
export function bindParams(
  file: StateFile,
  given: Given,
  scope: Scope,
  workshop: Workshop,
): DataMapping | null {
  const declared = declaredParams(file, workshop, scope.chain);
  let isSound = noneUnknown(declared, file, { given, workshop });
  const bound: Record<string, Data> = {};
  for (const [name, param] of declared) {
    const value = bindOne(name, param, { file, given, scope, workshop });
    if (value === undefined) isSound = false;
    else bound[name] = value;
  }
  return isSound ? bound : null;
}

export function declaredParams(
  { params }: StateFile,
  { problems }: Workshop,
  chain: readonly Link[] = [],
): ReadonlyMap<string, Param> {
  const declared = new Map<string, Param>();
  for (const entry of params?.entries ?? []) {
    const param = readParam(entry);
    if (typeof param !== 'string') declared.set(entry.key, param);
    else {
      const message = `the param "${entry.key}" ${param}`;
      problems.add(entry.value.place, message, { help: PARAM_HELP, chain });
    }
  }
  return declared;
}

const PARAM_HELP = `write "name: TYPE" or "name: {type: TYPE, default: VALUE}"; types are ${PARAM_TYPES.join(' ')}`;

/** `ref: string` must be given; `ref: {type: string, default: main}` need not. */
function readParam({ value, keyNode }: Entry): Param | string {
  if (value.kind !== 'mapping') return typed(value, { place: keyNode.place, fallback: null });
  const unknown = value.entries.find(({ key }) => key !== 'type' && key !== 'default');
  if (unknown !== undefined) return `has an unknown key "${unknown.key}"`;
  const fallback = entryOf(value, 'default')?.value ?? null;
  const type = entryOf(value, 'type')?.value ?? lift('any', value.place);
  return typed(type, { place: keyNode.place, fallback });
}

function typed(node: Node, param: Omit<Param, 'type'>): Param | string {
  const word = textOf(node);
  const type = PARAM_TYPES.find((known) => known === word);
  return type === undefined ? `is of no known type: ${describeNode(node)}` : { ...param, type };
}

interface Binding {
  readonly file: StateFile;
  readonly given: Given;
  readonly scope: Scope;
  readonly workshop: Workshop;
}

function noneUnknown(
  declared: ReadonlyMap<string, Param>,
  { name }: StateFile,
  { given, workshop }: Pick<Binding, 'given' | 'workshop'>,
): boolean {
  if (given.isText) return true;
  let isSound = true;
  for (const [param, { keyPlace: place }] of given.values) {
    if (declared.has(param)) continue;
    isSound = false;
    const help = hint(
      param,
      declared.keys(),
      `it declares ${[...declared.keys()].join(', ') || 'none'}`,
    );
    workshop.problems.add(place, `"${name}" declares no param "${param}"`, {
      help,
      chain: given.chain,
    });
  }
  return isSound;
}

function bindOne(name: string, param: Param, binding: Binding): Data | undefined {
  const { file, given, scope, workshop } = binding;
  const value = given.values.get(name);
  if (value !== undefined) {
    const data = given.isText ? fromText(value.data, param.type) : value.data;
    return checkType(data, { name, param, place: value.place, workshop, chain: given.chain });
  }
  if (param.fallback === null) {
    workshop.problems.add(given.place, `"${file.name}" needs the param "${name}"`, {
      help: given.isText ? `give it with --set ${name}=…` : `give it with params: {${name}: …}`,
      chain: given.chain,
    });
    return undefined;
  }
  const node = evaluateNode(param.fallback, scope, workshop);
  if (isBroken(node)) return undefined;
  return checkType(dataOf(node), { name, param, place: node.place, workshop, chain: scope.chain });
}

interface Check {
  readonly name: string;
  readonly param: Param;
  readonly place: Place;
  readonly workshop: Workshop;
  readonly chain: readonly Link[];
}

function checkType(data: Data, { name, param, place, workshop, chain }: Check): Data | undefined {
  if (FITS[param.type](data)) return data;
  const message = `the param "${name}" must be ${TYPE_WORDS[param.type]}, got ${describe(data)}`;
  workshop.problems.add(place, message, { chain });
  return undefined;
}

const TYPE_WORDS: Readonly<Record<ParamType, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  list: 'a list',
  mapping: 'a mapping',
  any: 'anything',
};

const FITS: Readonly<Record<ParamType, (data: Data) => boolean>> = {
  string: (data) => typeof data === 'string' || data instanceof Secret,
  number: (data) => typeof data === 'number',
  integer: (data) => typeof data === 'number' && Number.isSafeInteger(data),
  boolean: (data) => typeof data === 'boolean',
  list: isList,
  mapping: isMapping,
  any: () => true,
};

/** On a command line everything is text: what it means depends on the declared type. */
function fromText(data: Data, type: ParamType): Data {
  if (type === 'string')
    return typeof data === 'number' || typeof data === 'boolean' ? String(data) : data;
  if (typeof data !== 'string') return data;
  if (type !== 'list' && type !== 'mapping') return resolvePlain(data) ?? data;
  const problems = collectProblems({ read: () => null });
  const node = parseYaml('--set', Buffer.from(data, 'utf8'), problems);
  return node === null || problems.list().length > 0 ? data : dataOf(node);
}
