import { escapeControls } from '../../shared/log.ts';

/** Plain data as indented lines, in the look of YAML. What stands in it cannot act. */
export function renderData(data: unknown, indent = ''): string[] {
  if (Array.isArray(data)) return data.flatMap((item: unknown) => listItem(item, indent));
  if (typeof data !== 'object' || data === null) return [`${indent}${scalar(data)}`];
  return Object.entries(data).flatMap(([key, value]) => entry(`${scalar(key)}:`, value, indent));
}

function listItem(item: unknown, indent: string): string[] {
  const [first = '', ...rest] = renderData(item, `${indent}  `);
  return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
}

function entry(key: string, value: unknown, indent: string): string[] {
  if (isEmpty(value)) return [`${indent}${key} ${Array.isArray(value) ? '[]' : '{}'}`];
  if (typeof value !== 'object' || value === null) return [`${indent}${key} ${scalar(value)}`];
  return [`${indent}${key}`, ...renderData(value, `${indent}  `)];
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null);
  const isPlain =
    /^[\p{L}\p{N}/_.][\p{L}\p{N}/_.@ ()+:=~,-]*$/u.test(value) && !/[: ]$|: | #/u.test(value);
  return escapeControls(isPlain ? value : JSON.stringify(value));
}
