import { Secret } from '../../shared/secret.ts';
import { isList, isMapping, type Data } from '../values/data.ts';
import { evaluateNode, isWanted } from '../expression.ts';
import { HELPER_NAMES } from '../expressions/helpers.ts';
import { cameFrom } from '../pillars/provenance.ts';
import { dataOf, describeNode, isBroken, textOf, type Node } from '../values/node.ts';
import { extend, type Scope, type Workshop } from '../expressions/scope.ts';
import type { Loop } from '../state-file.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/u;
const RESERVED = new Set(['pillar', 'facts', 'minion', 'params', 'this', 'true', 'false', 'null']);

/** One scope for each time that something is there; none if a `when` or a mistake forbids it. */
export function iterate(loop: Loop, scope: Scope, workshop: Workshop): readonly Scope[] {
  return itemScopes(loop, scope, workshop).filter((item) => isWanted(loop.when, item, workshop));
}

function itemScopes({ each, as }: Loop, scope: Scope, workshop: Workshop): readonly Scope[] {
  if (each === null) {
    if (as !== null) {
      const message = '"as" names what "each" gives: there is none';
      workshop.problems.add(as.place, message, { chain: scope.chain });
    }
    return as === null ? [scope] : [];
  }
  const computed = evaluateNode(each, scope, workshop);
  if (isBroken(computed)) return [];
  const data = dataOf(computed);
  workshop.provenance.carry(computed, data);
  if (data === null) return [];
  if (!isList(data) && !isMapping(data)) {
    const message = `"each" needs a list or a mapping, got ${describeNode(computed)}`;
    const from = 'from' in computed ? computed.from : [];
    workshop.problems.add(each.place, message, { chain: [...cameFrom(from), ...scope.chain] });
    return [];
  }
  const names = namesOf(as, isList(data), { problems: workshop.problems, chain: scope.chain });
  return names === null ? [] : bindAll({ data, names, each, scope });
}

interface Binding {
  readonly data: Data;
  readonly names: readonly string[];
  readonly each: Node;
  readonly scope: Scope;
}

function bindAll({ data, names: [first = '', second = ''], each, scope }: Binding): Scope[] {
  const items: (readonly [string, Data])[] = isMapping(data)
    ? Object.entries(data)
    : listOf(data).map((item, index) => [labelOf(item, index), item]);
  return items.map(([key, item], index) => {
    const words = `in each item ${key} (${index + 1} of ${items.length})`;
    const bound: [string, Data][] = isMapping(data)
      ? [
          [first, key],
          [second, item],
        ]
      : [[first, item]];
    return extend(scope, bound, { words, place: each.place });
  });
}

function listOf(data: Data): readonly Data[] {
  return isList(data) ? data : [];
}

function labelOf(item: Data, index: number): string {
  if (item instanceof Secret || typeof item === 'object') return `number ${index + 1}`;
  return String(item);
}

interface Where {
  readonly problems: Workshop['problems'];
  readonly chain: Scope['chain'];
}

/** What `as` says, or else `item` for a list and `key`, `value` for a mapping. */
function namesOf(as: Node | null, isItems: boolean, { problems, chain }: Where): string[] | null {
  if (as === null) return isItems ? ['item'] : ['key', 'value'];
  const nodes = as.kind === 'sequence' ? as.items : [as];
  const wrong = nodes.find((node) => nameMistake(node) !== null);
  if (wrong !== undefined) {
    const message = `"as" cannot bind ${describeNode(wrong)}: it ${nameMistake(wrong)}`;
    problems.add(wrong.place, message, { chain });
    return null;
  }
  if (nodes.length === (isItems ? 1 : 2)) return nodes.map((node) => textOf(node) ?? '');
  const what = isItems ? 'a list binds one name' : 'a mapping binds two: the key and the value';
  problems.add(as.place, `"as" gives ${nodes.length} names, but ${what}`, { chain });
  return null;
}

function nameMistake(node: Node): string | null {
  const name = textOf(node) ?? '';
  if (isTaken(name)) return 'has a meaning of its own';
  return NAME.test(name) ? null : 'is no name';
}

function isTaken(name: string): boolean {
  return RESERVED.has(name) || HELPER_NAMES.has(name);
}
