import { z } from 'zod';
import type { StateSchema } from '../../language/state-schema.ts';

/** A state type, as far as the manual goes. */
export type Documented = Pick<StateSchema, 'name' | 'schema'> & { readonly example: string };

export interface ManualArgument {
  readonly name: string;
  readonly type: string;
  readonly isRequired: boolean;
  readonly default: unknown;
  readonly description: string;
  readonly isSecret: boolean;
}

export interface ManualPage {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  readonly arguments: readonly ManualArgument[];
}

const schemaShape = z.object({
  description: z.string().default(''),
  properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  required: z.array(z.string()).default([]),
});

/** The manual's page of a state type: all of it stands in its schema. */
export function manualPage({ name, schema, example }: Documented): ManualPage {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const { description, properties, required } = schemaShape.parse(json);
  return {
    name,
    description,
    example,
    arguments: Object.entries(properties).map(([argument, property]) => ({
      name: argument,
      type: typeWords(property),
      isRequired: required.includes(argument),
      default: property['default'] ?? null,
      description: textOf(property['description']),
      isSecret: property['secret'] === true,
    })),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `string`, `list of string`, `a | b`. */
function typeWords(property: Readonly<Record<string, unknown>>): string {
  const alternatives = property['anyOf'] ?? property['oneOf'];
  if (Array.isArray(alternatives))
    return [
      ...new Set(alternatives.map((each) => (isRecord(each) ? typeWords(each) : 'any'))),
    ].join(' | ');
  if (Array.isArray(property['enum'])) return property['enum'].map(String).join(' | ');
  if ('const' in property) return JSON.stringify(property['const']);
  const { type, items } = property;
  if (type === 'array') return `list of ${isRecord(items) ? typeWords(items) : 'any'}`;
  if (type === 'object') return 'mapping';
  return typeof type === 'string' ? type : 'any';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function renderManualPage(page: ManualPage): string[] {
  const lines = [page.name, ...indented(page.description), ''];
  for (const { name, type, isRequired, default: value, description, isSecret } of page.arguments) {
    const notes = [
      isRequired ? 'required' : '',
      value === null ? '' : `default ${JSON.stringify(value)}`,
      isSecret ? 'secret' : '',
    ].filter((note) => note !== '');
    const suffix = notes.length === 0 ? '' : `, ${notes.join(', ')}`;
    lines.push(`  ${name} (${type}${suffix})`, ...indented(description, '      '));
  }
  return [...lines, '', '  Example:', ...indented(page.example.trimEnd())];
}

function indented(text: string, indent = '    '): string[] {
  return text === '' ? [] : text.split('\n').map((line) => `${indent}${line}`.trimEnd());
}
