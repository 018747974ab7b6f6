import { Secret } from '../../shared/secret.ts';

export type Scalar = string | number | boolean | null;

/** What expressions compute with. A `Secret` always wraps a scalar, never a list or mapping. */
export type Data = Scalar | Secret | readonly Data[] | DataMapping;

export interface DataMapping {
  readonly [name: string]: Data;
}

/** Keys that would reach into JavaScript's own objects. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
]);

export function isList(data: unknown): data is readonly Data[] {
  return Array.isArray(data);
}

export function isMapping(data: Data | undefined): data is DataMapping {
  return (
    typeof data === 'object' && data !== null && !Array.isArray(data) && !(data instanceof Secret)
  );
}

/** A deep copy with every `Secret` replaced by what it holds. */
export function reveal(data: Data): Data {
  if (data instanceof Secret) return scalarOf(data.reveal());
  if (isList(data)) return data.map(reveal);
  if (!isMapping(data)) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, reveal(value)]));
}

export function containsSecret(data: Data): boolean {
  if (data instanceof Secret) return true;
  if (isList(data)) return data.some(containsSecret);
  return isMapping(data) && Object.values(data).some(containsSecret);
}

/** A deep copy with every text in it made a `Secret`; numbers and booleans tell too little. */
export function conceal(data: Data): Data {
  if (typeof data === 'string') return new Secret(data);
  if (isList(data)) return data.map(conceal);
  if (!isMapping(data)) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, conceal(value)]));
}

/** Every text that is held by a `Secret` anywhere in `data`. */
export function secretTexts(data: Data): string[] {
  if (data instanceof Secret) return [String(data.reveal())];
  if (isList(data)) return data.flatMap(secretTexts);
  return isMapping(data) ? Object.values(data).flatMap(secretTexts) : [];
}

/** What a value is, in the words of an error message; never what a secret holds. */
export function describe(data: Data): string {
  if (data instanceof Secret) return 'a secret';
  if (isList(data)) return 'a list';
  if (data === null) return 'nothing (null)';
  if (typeof data === 'object') return 'a mapping';
  if (typeof data === 'string') return `the text ${JSON.stringify(shorten(data))}`;
  return typeof data === 'number' ? `the number ${data}` : String(data);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function scalarOf(value: unknown): Scalar {
  if (typeof value === 'string' || typeof value === 'number') return value;
  return typeof value === 'boolean' ? value : null;
}
