import { ConductorError } from '../../shared/errors.ts';
import { Secret } from '../../shared/secret.ts';
import {
  conceal,
  containsSecret,
  describe,
  isList,
  isMapping,
  reveal,
  secretTexts,
} from '../values/data.ts';
import type { Data } from '../values/data.ts';
import { HelperMistake, type Helper } from './helper.ts';
import { findHelper } from './helpers.ts';
import { lookup, lookupIfThere, placeOf } from '../values/lookup.ts';
import { itemFrame, type Frame, type Workshop } from './scope.ts';
import {
  SpotMistake,
  type Block,
  type Call,
  type Expression,
  type Part,
  type Path,
} from './syntax-tree.ts';

/** A text that is exactly one expression keeps its type; any other becomes a text. */
export function evaluateParts(parts: readonly Part[], frame: Frame, workshop: Workshop): Data {
  const [first, second] = parts;
  if (first?.kind === 'output' && second === undefined) {
    return evaluate(first.value, frame, workshop);
  }
  return renderParts(parts, frame, workshop);
}

/** As a text; a `Secret` one if anything secret went into it. */
export function renderParts(
  parts: readonly Part[],
  frame: Frame,
  workshop: Workshop,
): string | Secret {
  const written: Written = { texts: [], isSecret: false };
  write(parts, frame, { workshop, written });
  const text = written.texts.join('');
  return written.isSecret ? new Secret(text) : text;
}

interface Written {
  readonly texts: string[];
  isSecret: boolean;
}

interface Pen {
  readonly workshop: Workshop;
  readonly written: Written;
}

function write(parts: readonly Part[], frame: Frame, pen: Pen): void {
  for (const part of parts) {
    if (part.kind === 'text') pen.written.texts.push(part.text);
    else if (part.kind === 'block') writeBlock(part, frame, pen);
    else writeValue(part, evaluate(part.value, frame, pen.workshop), pen);
  }
}

function writeValue(
  { spot }: Extract<Part, { kind: 'output' }>,
  data: Data,
  { written }: Pen,
): void {
  const plain = reveal(data);
  if (plain === null || typeof plain === 'object') {
    const help = plain === null ? 'write {{default … ""}}' : 'use {{join …}}, {{json …}} or #each';
    throw new SpotMistake(spot, `${describe(data)} cannot stand within a text`, help);
  }
  if (containsSecret(data)) written.isSecret = true;
  written.texts.push(String(plain));
}

function writeBlock(block: Block, frame: Frame, pen: Pen): void {
  const subject = evaluate(block.subject, frame, pen.workshop);
  if (block.helper === 'each') return writeEach(block, subject, { frame, pen });
  const isWanted = block.helper === 'unless' ? !isTrue(subject) : isTrue(subject);
  if (!isWanted) return write(block.otherwise, frame, pen);
  if (block.helper !== 'with') return write(block.body, frame, pen);
  const names = block.names.map((name) => [name, subject] as const);
  return write(block.body, itemFrame(frame, subject, names, []), pen);
}

function writeEach(block: Block, subject: Data, { frame, pen }: { frame: Frame; pen: Pen }): void {
  const items = itemsOf(block, subject);
  if (items.length === 0) return write(block.otherwise, frame, pen);
  for (const [index, [key, item]] of items.entries()) {
    const [itemName, keyName] = block.names;
    const names = [
      ...(itemName === undefined ? [] : [[itemName, item] as const]),
      ...(keyName === undefined ? [] : [[keyName, key] as const]),
    ];
    const loop = [
      ['index', index],
      ['key', key],
      ['first', index === 0],
      ['last', index === items.length - 1],
    ] as const;
    write(block.body, itemFrame(frame, item, names, loop), pen);
  }
}

function itemsOf({ subject: { spot } }: Block, subject: Data): (readonly [Data, Data])[] {
  if (isList(subject)) return subject.map((item, index) => [index, item] as const);
  if (isMapping(subject)) return Object.entries(subject);
  if (subject === null) return [];
  throw new SpotMistake(spot, `"#each" needs a list or a mapping, got ${describe(subject)}`);
}

/** False are: false, null, 0, an empty text, an empty list. */
export function isTrue(data: Data): boolean {
  const plain = data instanceof Secret ? reveal(data) : data;
  return isList(plain) ? plain.length > 0 : Boolean(plain);
}

function evaluate(expression: Expression, frame: Frame, workshop: Workshop): Data {
  if (expression.kind === 'literal') return expression.value;
  if (expression.kind === 'path') return found(expression, frame, workshop);
  return call(expression, frame, workshop);
}

function found(path: Path, frame: Frame, workshop: Workshop): Data {
  const data = lookup(path, frame);
  leaveTrail(path, frame, workshop);
  return data;
}

function leaveTrail(path: Path, frame: Frame, { provenance, trail }: Workshop): void {
  const place = placeOf(path, frame, provenance);
  if (place !== null && !trail.includes(place)) trail.push(place);
}

function call(expression: Call, frame: Frame, workshop: Workshop): Data {
  const { args, helper: name } = expression;
  const helper = helperOf(expression);
  if (CHOOSERS.has(name)) return choose(expression, frame, workshop);
  const values = args.map((arg) => evaluate(arg, frame, workshop));
  const [first = null] = values;
  if (name === 'not') return !isTrue(first);
  if (name === 'port') return port(expression, first, workshop);
  const isSecret = helper.keepsSecrets !== true && values.some(containsSecret);
  if (!isSecret) return attempt(expression, () => helper.run?.(...values));
  const hidden = conceal(attempt(expression, () => runOnSecrets(helper, values)));
  for (const text of secretTexts(hidden)) workshop.secrets.add(text);
  return hidden;
}

/** What a helper says of a value that it cannot take would tell what a secret holds. */
function runOnSecrets({ run }: Helper, values: readonly Data[]): Data | undefined {
  try {
    return run?.(...values.map(reveal));
  } catch (error) {
    if (!(error instanceof HelperMistake)) throw error;
    throw new HelperMistake('cannot take these values, one of which is a secret');
  }
}

const CHOOSERS: ReadonlySet<string> = new Set(['default', 'and', 'or']);

function helperOf({ helper: name, spot }: Call): Helper {
  const helper = findHelper(name);
  if (helper !== undefined) return helper;
  throw new SpotMistake(spot, `unknown helper "${name}"`);
}

/** `default`, `and`, `or` look at one value after the other, and not at those they need not. */
function choose({ helper, args }: Call, frame: Frame, workshop: Workshop): Data {
  const last = args.length - 1;
  for (const [index, arg] of args.entries()) {
    const isOptional = helper === 'default' && index < last && arg.kind === 'path';
    const value = isOptional ? lookupIfThere(arg, frame) : evaluate(arg, frame, workshop);
    if (isOptional && value !== undefined) leaveTrail(arg, frame, workshop);
    if (value !== undefined && (index === last || isChosen(helper, value))) return value;
  }
  return null;
}

function isChosen(helper: string, value: Data): boolean {
  if (helper === 'default') return value !== null;
  return helper === 'or' ? isTrue(value) : !isTrue(value);
}

const PORT_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._:@/-]{0,127}$/u;

function port(expression: Call, name: Data, workshop: Workshop): number {
  if (typeof name !== 'string' || !PORT_NAME.test(name)) {
    throw new SpotMistake(expression.spot, `a port has a name, got ${describe(name)}`);
  }
  const number = attempt(expression, () => workshop.ports.get(name) ?? workshop.allocatePort(name));
  workshop.ports.set(name, number);
  return number;
}

function attempt<Result extends Data>(
  { spot, helper }: Call,
  run: () => Result | undefined,
): Result {
  try {
    const result = run();
    if (result !== undefined) return result;
  } catch (error) {
    if (!(error instanceof HelperMistake || error instanceof ConductorError)) throw error;
    throw new SpotMistake(spot, `"${helper}" ${error.message}`);
  }
  throw new SpotMistake(spot, `"${helper}" gave nothing`);
}
