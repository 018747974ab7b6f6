import { dump, load } from 'js-yaml';
import { isDataMapping, isList } from './data.ts';
import type { Data, DataMapping } from './data.ts';
import { tomlOf } from './toml.ts';
import { messageOf } from '../../../../shared/errors.ts';
import { refuseEdit } from './edited-text.ts';

export type Format = 'json' | 'yaml' | 'toml' | 'ini' | 'configparser';

/** Those that are read too. */
type ReadFormat = Exclude<Format, 'toml'>;

interface Subject {
  readonly name: string;
}

/** One over the other: mappings deeply, all else replaced. */
export function merged(before: Data, over: Data): Data {
  if (!isDataMapping(before) || !isDataMapping(over)) return over;
  const all = Object.entries(over).map(
    ([key, value]) =>
      [key, merged(Object.hasOwn(before, key) ? (before[key] ?? null) : null, value)] as const,
  );
  return { ...before, ...Object.fromEntries(all) };
}

interface Writing {
  readonly kind: Format;
  readonly indent: number;
  readonly isSorted: boolean;
  readonly args: Subject;
}

/** Data as text; ends in a newline. */
export function serialized(data: Data, { kind, indent, isSorted, args }: Writing): string {
  const ordered = isSorted ? sorted(data) : data;
  if (kind === 'json') return `${JSON.stringify(ordered, null, indent)}\n`;
  if (kind === 'yaml')
    return dump(ordered, { indent: Math.max(indent, 1), lineWidth: -1, noRefs: true });
  if (kind === 'toml') return asToml(ordered, args);
  return isDataMapping(data) ? iniOf(data, args) : refuseEdit(args, 'an INI file holds a mapping');
}

function asToml(data: Data, args: Subject): string {
  if (!isDataMapping(data)) return refuseEdit(args, 'a TOML file holds a mapping');
  return tomlOf(data) ?? refuseEdit(args, 'TOML has no null: leave the key out');
}

function sorted(data: Data): Data {
  if (isList(data)) return data.map(sorted);
  if (!isDataMapping(data)) return data;
  const entries = Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]));
}

function iniOf(data: DataMapping, args: Subject): string {
  const entries = Object.entries(data);
  const loose = entries.filter(([, value]) => !isDataMapping(value));
  const sections = entries.flatMap(([name, value]) =>
    isDataMapping(value) ? [{ name, value }] : [],
  );
  const parts = [
    ...(loose.length === 0 ? [] : [iniLines(Object.fromEntries(loose), args)]),
    ...sections.map(({ name, value }) => `[${name}]\n${iniLines(value, args)}`),
  ];
  return parts.join('\n');
}

function iniLines(settings: DataMapping, args: Subject): string {
  const lines = Object.entries(settings).map(([key, value]) => {
    if (typeof value === 'object' && value !== null)
      refuseEdit(args, `"${key}" is no single value for an INI file`);
    const text = value === null ? '' : String(value);
    if (/[\n\r]/u.test(key + text)) refuseEdit(args, `"${key}" has more than one line`);
    return `${key} = ${text}`.trimEnd();
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** What a text holds. */
export function deserialized(text: string, kind: ReadFormat, args: Subject): unknown {
  if (text.trim() === '') return {};
  try {
    if (kind === 'json') return JSON.parse(text);
    return kind === 'yaml' ? load(text) : fromIni(text);
  } catch (error) {
    return refuseEdit(args, `what it holds is no ${kind}: ${messageOf(error)}`);
  }
}

function fromIni(text: string): DataMapping {
  const loose: Record<string, string> = {};
  const sections: Record<string, Record<string, string>> = {};
  let settings = loose;
  for (const line of text.split('\n').map((one) => one.trim())) {
    const head = /^\[(?<name>.*)\]$/u.exec(line)?.groups?.['name'];
    if (head !== undefined) {
      settings = sections[head] ?? {};
      sections[head] = settings;
    } else if (/^[^#;]/u.test(line)) {
      const [, key = line, value = ''] = /^([^=:]*?)\s*[=:]\s*(.*)$/u.exec(line) ?? [];
      settings[key] = value;
    }
  }
  return { ...loose, ...sections };
}
