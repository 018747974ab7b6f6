import { isDataMapping, isList } from './data.ts';
import type { Data, DataMapping } from './data.ts';

/** A mapping as TOML: values first, then its tables. `null` if something in it is one, which TOML has not. */
export function tomlOf(data: DataMapping): string | null {
  return holdsNull(data) ? null : table(data, []).replace(/^\n/u, '');
}

function holdsNull(data: Data): boolean {
  if (isList(data)) return data.some(holdsNull);
  return data === null || (isDataMapping(data) && Object.values(data).some(holdsNull));
}

function table(data: DataMapping, path: readonly string[]): string {
  const entries = Object.entries(data);
  const values = entries.filter(([, value]) => !isDataMapping(value) && tablesIn(value) === null);
  const own = values.map(([key, value]) => `${keyOf(key)} = ${valueOf(value)}\n`).join('');
  const below = entries.map(([key, value]) => tablesOf(value, [...path, key])).join('');
  return `${own}${below}`;
}

function tablesOf(value: Data, path: readonly string[]): string {
  const name = path.map(keyOf).join('.');
  if (isDataMapping(value)) return `\n[${name}]\n${table(value, path)}`;
  const items = tablesIn(value) ?? [];
  return items.map((item) => `\n[[${name}]]\n${table(item, path)}`).join('');
}

/** A list of mappings only, which has a form of its own. */
function tablesIn(value: Data): readonly DataMapping[] | null {
  const items: readonly Data[] = isList(value) ? value : [];
  return items.length > 0 && items.every(isDataMapping) ? items : null;
}

function valueOf(value: Data): string {
  if (isList(value)) return `[${value.map(valueOf).join(', ')}]`;
  if (!isDataMapping(value)) return typeof value === 'string' ? quoted(value) : String(value);
  const entries = Object.entries(value).map(([key, one]) => `${keyOf(key)} = ${valueOf(one)}`);
  return `{ ${entries.join(', ')} }`;
}

function keyOf(key: string): string {
  return /^[\w-]+$/u.test(key) ? key : quoted(key);
}

/** Basic strings of TOML escape as JSON does; it wants DEL escaped too. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007F', String.raw`\u007F`);
}
