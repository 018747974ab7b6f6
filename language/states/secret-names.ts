import { z } from 'zod';
import type { StateSchema } from '../state-schema.ts';

/** Names of the arguments, and so of the attributes, that a type's schema calls secret. */
export function secretNamesOf(type: Pick<StateSchema, 'schema'>): ReadonlySet<string> {
  return namesMarked('secret', type);
}

/** Names of the arguments that others on the host can see: they reach the arguments of a process or its environment. */
export function exposedNamesOf(type: Pick<StateSchema, 'schema'>): ReadonlySet<string> {
  return namesMarked('isExposed', type);
}

/** Names of the arguments that everybody can see: paths, accounts, and what a thing is called, unless its type says other. */
export function plainNamesOf(type: Pick<StateSchema, 'schema'>): ReadonlySet<string> {
  const isName = namesMarked('mayHoldSecret', type).has('name') || secretNamesOf(type).has('name');
  return new Set([...namesMarked('isPlain', type), ...(isName ? [] : ['name'])]);
}

function namesMarked(mark: string, { schema }: Pick<StateSchema, 'schema'>): ReadonlySet<string> {
  const names = new Set<string>();
  collect(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), mark, names);
  return names;
}

function collect(node: unknown, mark: string, names: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  if ('properties' in node && typeof node.properties === 'object' && node.properties !== null) {
    for (const [name, property] of Object.entries(node.properties)) {
      if (isMarked(property, mark)) names.add(name);
    }
  }
  for (const child of Object.values(node)) collect(child, mark, names);
}

function isMarked(property: unknown, mark: string): boolean {
  return (
    typeof property === 'object' &&
    property !== null &&
    Object.entries(property).some(([name, value]) => name === mark && value === true)
  );
}
