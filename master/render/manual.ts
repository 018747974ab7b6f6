import { z } from 'zod';
import { WORD_MANUAL } from '../../language/states/word-manual.ts';
import type { StateSchema } from '../../language/state-schema.ts';

/** A state type, as far as the manual goes. */
export type Documented = Pick<StateSchema, 'name' | 'schema'> & { readonly example: string };

export interface ManualArgument {
  readonly name: string;
  /** What its value may be, in words. */
  readonly type: string;
  readonly isRequired: boolean;
  readonly default: unknown;
  readonly description: string;
  readonly isSecret: boolean;
  /** Others on the host can see it. */
  readonly isExposed: boolean;
  /** It is known only to be refused with a reason: the description says which. */
  readonly isRefused: boolean;
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
      // Every state has a name: the ID, if nothing else.
      isRequired: argument !== 'name' && required.includes(argument),
      default: property['default'] ?? null,
      description: textOf(property['description']),
      isSecret: property['secret'] === true,
      isExposed: property['isExposed'] === true,
      isRefused: 'not' in property || property['isRefused'] === true,
    })),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

const WORDS: ReadonlyMap<unknown, string> = new Map([
  ['string', 'text'],
  ['integer', 'whole number'],
  ['number', 'number'],
  ['boolean', 'true or false'],
  ['object', 'mapping'],
  ['null', 'nothing'],
]);

/** `text`, `list of texts`, `whole number or text`, `"a" or "b"`. */
function typeWords(property: Readonly<Record<string, unknown>>): string {
  const all = new Set(formsOf(property));
  // What a template or a file of the tree becomes is nothing that one writes.
  if (all.has('text')) all.delete('any value');
  return joined([...all]);
}

function joined(words: readonly string[]): string {
  const isLong = words.some((word) => word.includes(' or '));
  if (isLong || words.length > 2) {
    return words.length === 1
      ? (words[0] ?? '')
      : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  }
  return words.join(' or ');
}

function formsOf(property: Readonly<Record<string, unknown>>): readonly string[] {
  const alternatives = property['anyOf'] ?? property['oneOf'];
  if (Array.isArray(alternatives)) {
    return alternatives.flatMap((each) => (isRecord(each) ? formsOf(each) : []));
  }
  if (Array.isArray(property['enum'])) return property['enum'].map((one) => JSON.stringify(one));
  if ('const' in property) return [JSON.stringify(property['const'])];
  const { type, items } = property;
  if (type === 'array') return [listWords(items)];
  return [WORDS.get(type) ?? 'any value'];
}

const PLURALS: ReadonlyMap<string, string> = new Map([
  ['text', 'texts'],
  ['whole number', 'whole numbers'],
  ['number', 'numbers'],
  ['mapping', 'mappings'],
]);

function listWords(items: unknown): string {
  const what = isRecord(items) ? typeWords(items) : 'any value';
  if (what === 'any value') return 'list';
  return `list of ${PLURALS.get(what) ?? what}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `text, required, secret`; `true or false, default false`. */
export function valueWords({
  type,
  isRequired,
  default: value,
  isSecret,
  isExposed,
}: ManualArgument): string {
  const notes = [
    type,
    isRequired ? 'required' : '',
    value === null ? '' : `default ${JSON.stringify(value)}`,
    isSecret ? 'secret: shown nowhere' : '',
    isExposed ? 'never a secret' : '',
  ];
  return notes.filter((note) => note !== '').join(', ');
}

/** The page on a terminal: what it does, its arguments, an example, and where the rest is. */
export function renderManualPage(page: ManualPage): string[] {
  const taken = page.arguments.filter(({ isRefused }) => !isRefused);
  const refused = page.arguments.filter(({ isRefused }) => isRefused);
  return [
    page.name,
    ...wrapped(page.description, '    '),
    '',
    'Arguments:',
    ...taken.flatMap(renderArgument),
    ...(refused.length === 0 ? [] : ['', 'Not taken, and why:']),
    ...refused.flatMap(({ name, description }) => [`  ${name}`, ...wrapped(description, '      ')]),
    '',
    'Example:',
    ...page.example
      .trimEnd()
      .split('\n')
      .map((line) => `    ${line}`.trimEnd()),
    '',
    'Requisites, guards and what else every state takes: master docs common',
  ];
}

function renderArgument(argument: ManualArgument): string[] {
  const { name, description } = argument;
  return [`  ${name} (${valueWords(argument)})`, ...wrapped(description, '      ')];
}

/** The words that every state takes, on a terminal. */
export function renderCommonWords(): string[] {
  return [
    'What every state takes, whatever its type',
    '',
    ...[...WORD_MANUAL].flatMap(([word, text]) => [`  ${word}`, ...wrapped(text, '      ')]),
  ];
}

const WIDEST = 96;

/** Lines no longer than a terminal likes, each moved to the right. */
function wrapped(text: string, indent: string): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    for (const word of paragraph.split(' ').filter((one) => one !== '')) {
      const last = lines.at(-1);
      const isFull = last === undefined || `${last} ${word}`.length > WIDEST;
      if (isFull) lines.push(`${indent}${word}`);
      else lines[lines.length - 1] = `${last} ${word}`;
    }
    return lines;
  });
}
