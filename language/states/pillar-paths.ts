import type { Draft } from './draft.ts';
import { isList, isMapping, type Data } from '../values/data.ts';
import { hint } from '../values/hint.ts';
import { dataOf, isBroken, lift, textOf, type Node } from '../values/node.ts';
import type { Problems } from '../problem.ts';

/**
 * What an argument that names a value of the pillar becomes: the value. Salt's `a:b:c` is read, and
 * `a.b.c`; a list names several. What is not there is reported, and broken then.
 */
export function pillarValueOf(draft: Draft, node: Node, problems: Problems): Node {
  const { place } = node;
  if (isBroken(node)) return { kind: 'broken', place };
  if (node.kind === 'sequence') {
    return { ...node, items: node.items.map((item) => pillarValueOf(draft, item, problems)) };
  }
  const path = textOf(node) ?? JSON.stringify(dataOf(node));
  const pillar = draft.scope.names.get('pillar') ?? {};
  const found = below(pillar, path);
  if ('value' in found) return lift(found.value, place);
  const known = isMapping(found.in) ? Object.keys(found.in) : [];
  problems.add(place, `the pillar has no "${path}"`, {
    help: hint(found.missing, known, 'a value of the pillar is named by its keys, as in a:b:c'),
    chain: draft.scope.chain,
  });
  return { kind: 'broken', place };
}

type Found = { readonly value: Data } | { readonly missing: string; readonly in: Data };

function below(pillar: Data, path: string): Found {
  const isKey = isMapping(pillar) && Object.hasOwn(pillar, path);
  let at: Data = pillar;
  for (const part of isKey ? [path] : path.split(path.includes(':') ? ':' : '.')) {
    const next: Data | undefined = childOf(at, part);
    if (next === undefined) return { missing: part, in: at };
    at = next;
  }
  return { value: at };
}

function childOf(data: Data, part: string): Data | undefined {
  if (isMapping(data)) return Object.hasOwn(data, part) ? data[part] : undefined;
  return isList(data) && /^\d+$/u.test(part) ? data[Number(part)] : undefined;
}
