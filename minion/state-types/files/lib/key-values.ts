import type { KeyValueArgs } from '../file-keyvalue-schema.ts';
import { joined, linesOf } from './lines.ts';
import { refuseEdit } from './edited-text.ts';

/** A text with all settings as they are to be. */
export function keysSet(text: string, args: KeyValueArgs): string {
  let lines: readonly string[] = linesOf(text);
  for (const [key, value] of settingsOf(args)) lines = keySet(lines, { key, value }, args);
  return joined(lines, text);
}

function settingsOf({ key, value, key_values: all }: KeyValueArgs): [string, string][] {
  if (all !== undefined) return Object.entries(all);
  return key === undefined || value === undefined ? [] : [[key, value]];
}

interface Setting {
  readonly key: string;
  readonly value: string;
}

/** A line that sets a name, in its parts. */
interface Line {
  readonly index: number;
  readonly indent: string;
  readonly isComment: boolean;
  /** The name and all up to the value. */
  readonly start: string;
  readonly value: string;
  readonly end: string;
}

function keySet(lines: readonly string[], setting: Setting, args: KeyValueArgs): readonly string[] {
  const found = lines.flatMap((line, index) => partsOf(line, index, setting, args) ?? []);
  const active = found.filter(({ isComment }) => !isComment);
  const all = args.count <= 0 ? active : active.slice(0, args.count);
  const chosen = active.length > 0 ? all : found.slice(0, 1);
  if (chosen.length === 0) return added(lines, setting, args);
  const changed = new Map(chosen.map((line) => [line.index, written(line, setting, args)]));
  return lines.map((line, index) => changed.get(index) ?? line);
}

function partsOf(
  line: string,
  index: number,
  { key }: Setting,
  { separator, uncomment, key_ignore_case: ignoresCase }: KeyValueArgs,
): Line | null {
  const mark = separator.trim();
  const between = mark === '' ? String.raw`\s+` : String.raw`\s*${literal(mark)}\s*`;
  const comment =
    uncomment === undefined ? '' : String.raw`(?<comment>(?:${literal(uncomment)})+[ \t]*)?`;
  const regex = new RegExp(
    String.raw`^(?<indent>[ \t]*)${comment}(?<start>${literal(key)}${between})(?<value>.*?)(?<end>\s*)$`,
    ignoresCase ? 'iu' : 'u',
  );
  const groups = regex.exec(line)?.groups;
  if (groups === undefined) return null;
  const { indent = '', start = '', value = '', end = '' } = groups;
  return { index, indent, isComment: groups['comment'] !== undefined, start, value, end };
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
}

function written(
  line: Line,
  { value }: Setting,
  { value_ignore_case: ignoresCase }: KeyValueArgs,
): string {
  const isSame = ignoresCase
    ? line.value.toLowerCase() === value.toLowerCase()
    : line.value === value;
  const { indent, start, end } = line;
  return isSame ? indent + start + line.value + end : indent + start + value;
}

function added(
  lines: readonly string[],
  { key, value }: Setting,
  args: KeyValueArgs,
): readonly string[] {
  const line = key + args.separator + value;
  if (args.append_if_not_found) return [...lines, line];
  if (args.prepend_if_not_found) return [line, ...lines];
  return refuseEdit(args, `no line sets "${key}" (append_if_not_found: true adds one)`);
}
