import { z } from 'zod';

/** A schema as editors read it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** A text with an expression in it, which may give anything. */
export const EXPRESSION: JsonSchema = { type: 'string', pattern: '\\{\\{' };

/** What holds where something else does, and where it does not. */
export function either(condition: JsonSchema, matching: unknown, otherwise?: unknown): JsonSchema {
  const rest = otherwise === undefined ? [] : [['else', otherwise] as const];
  // oxlint-disable-next-line unicorn/no-thenable -- it is a keyword of JSON Schema, and nobody awaits it
  return Object.fromEntries([['if', condition], ['then', matching], ...rest]);
}

/**
 * What may be written where a schema reads its input. More than the schema takes: an expression may
 * stand in place of any value, and a number where a text is wanted, for what editors take for a number
 * (`1.10`) is a text here.
 */
export function writtenSchema(schema: z.ZodType): JsonSchema {
  const json = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      if (isCaseless(zodSchema)) delete jsonSchema.pattern;
    },
  });
  return relaxed(record(json));
}

/** Patterns of JSON Schema have no flags. */
function isCaseless({ _zod: { def } }: z.core.$ZodTypes): boolean {
  return (def.checks ?? []).some(({ _zod: { def: check } }) => {
    return 'pattern' in check && check.pattern instanceof RegExp && check.pattern.ignoreCase;
  });
}

export function isRecord(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function record(value: unknown): JsonSchema {
  return isRecord(value) ? value : {};
}

function records(value: unknown): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

const ABOUT = ['description', 'default', 'title', 'doNotSuggest'];

function relaxed(schema: JsonSchema): JsonSchema {
  const about = pick(schema, ABOUT);
  if ('not' in schema || schema['isRefused'] === true) return refusal(schema);
  const forms = formsOf(schema);
  if (forms.length === 0) return about;
  const isText = forms.some(isAnyText);
  const all = isText
    ? forms.filter((form) => isAnyText(form) || !isOneOfTexts(form))
    : [...forms, EXPRESSION];
  const [only, second] = unique(all);
  return second === undefined ? { ...only, ...about } : { ...about, anyOf: unique(all) };
}

/** The same, or any text. */
export function orAnyText(schema: unknown): JsonSchema {
  const given = record(schema);
  const { anyOf } = given;
  const forms = records(anyOf).filter((form) => form['type'] === 'array');
  return { ...pick(given, ABOUT), anyOf: [{ type: ['string', 'number'] }, ...forms] };
}

/** An argument that is known only to be refused with a reason. */
function refusal({ description }: JsonSchema): JsonSchema {
  return { description, enum: [false], errorMessage: description, doNotSuggest: true };
}

/** Everything that would fit, each by itself; none if anything does. */
function formsOf(schema: JsonSchema): readonly JsonSchema[] {
  const alternatives = [...records(schema['anyOf']), ...records(schema['oneOf'])];
  if (alternatives.length > 0) {
    return alternatives.flatMap((each) => {
      const form = relaxed(each);
      return 'anyOf' in form ? records(form['anyOf']) : emptyOr(form);
    });
  }
  if ('const' in schema) return [{ enum: [schema['const']] }];
  if ('enum' in schema) return [pick(schema, ['enum'])];
  return formOf(schema);
}

/** What JavaScript puts in place of what a schema cannot say: nobody writes that. */
function emptyOr(schema: JsonSchema): readonly JsonSchema[] {
  return Object.keys(schema).length === 0 ? [] : [schema];
}

function formOf(schema: JsonSchema): readonly JsonSchema[] {
  switch (schema['type']) {
    case 'string':
      return [{ ...pick(schema, ['pattern', 'minLength']), type: ['string', 'number'] }];
    case 'integer':
    case 'number':
      return [{ ...bounds(schema), type: schema['type'] }];
    case 'array':
      return [{ type: 'array', ...itemsOf(schema), ...pick(schema, ['minItems', 'maxItems']) }];
    case 'object':
      return [objectOf(schema)];
    case undefined:
      return [];
    default:
      return [pick(schema, ['type'])];
  }
}

function bounds(schema: JsonSchema): JsonSchema {
  const kept = Object.entries(pick(schema, ['minimum', 'maximum', 'exclusiveMinimum']));
  return Object.fromEntries(
    kept.filter(([, value]) => Math.abs(Number(value)) < Number.MAX_SAFE_INTEGER),
  );
}

function itemsOf({ items }: JsonSchema): JsonSchema {
  return isRecord(items) ? { items: relaxed(items) } : {};
}

function objectOf(schema: JsonSchema): JsonSchema {
  const { properties, additionalProperties } = schema;
  return {
    type: 'object',
    ...(isRecord(properties) ? { properties: mapValues(properties) } : {}),
    ...pick(schema, ['required']),
    additionalProperties: isRecord(additionalProperties)
      ? relaxed(additionalProperties)
      : (additionalProperties ?? true),
  };
}

function mapValues(properties: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, relaxed(record(value))]),
  );
}

function isAnyText(form: JsonSchema): boolean {
  const { type, pattern, minLength } = form;
  return Array.isArray(type) && type.includes('string') && pattern === undefined && minLength !== 0;
}

/** Texts of some form only, beside which any text may stand. */
function isOneOfTexts({ type, pattern }: JsonSchema): boolean {
  return pattern !== undefined && (type === 'string' || Array.isArray(type));
}

function pick(schema: JsonSchema, keywords: readonly string[]): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema).filter(([keyword]) => keywords.includes(keyword)),
  );
}

function unique(forms: readonly JsonSchema[]): readonly JsonSchema[] {
  return [...new Map(forms.map((form) => [JSON.stringify(form), form])).values()];
}
