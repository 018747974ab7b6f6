import { z } from 'zod';
import type { StateSchema } from '../state-schema.ts';

/** Names of the arguments, and so of the attributes, that a type's schema calls secret. */
export function secretNamesOf({ schema }: Pick<StateSchema, 'schema'>): ReadonlySet<string> {
  const names = new Set<string>();
  collect(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), names);
  return names;
}

function collect(node: unknown, names: Set<string>): void {
  if (typeof node !== 'object' || node === null) return;
  if ('properties' in node && typeof node.properties === 'object' && node.properties !== null) {
    for (const [name, property] of Object.entries(node.properties)) {
      if (isSecret(property)) names.add(name);
    }
  }
  for (const child of Object.values(node)) collect(child, names);
}

function isSecret(property: unknown): boolean {
  return (
    typeof property === 'object' &&
    property !== null &&
    'secret' in property &&
    property.secret === true
  );
}
