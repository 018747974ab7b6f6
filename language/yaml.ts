import { EVENT_ID, parseEvents, YAMLException, type Event } from 'js-yaml';
import { messageOf } from '../shared/errors.ts';
import type { Node } from './values/node.ts';
import type { Problems } from './problem.ts';
import { readNode } from './values/yaml-node.ts';
import { findJinja, jinjaHelp } from './values/jinja.ts';
import { isSaltFile, placesOf, type Source } from './values/yaml-source.ts';

const DEEPEST = 100;

/**
 * Reads one YAML document into values that know their places. `null` if there is none to be had:
 * then why has been reported, unless the file is empty, which is an empty mapping.
 */
export function parseYaml(
  file: string,
  bytes: Uint8Array,
  problems: Problems,
  { sealed = false } = {},
): Node | null {
  const text = decode(file, bytes, problems);
  if (text === null) return null;
  const source: Source = { file, text, placeAt: placesOf(file, text) };
  const events = isSaltFile(file) && refuseJinja(source, problems) ? null : parse(source, problems);
  if (events === null) return null;

  const [first, second] = documentsIn(events);
  if (first === undefined) {
    return { kind: 'mapping', place: { file, line: 1, column: 1 }, entries: [] };
  }
  if (second !== undefined) {
    const place = source.placeAt(firstOffset(events, second));
    problems.add(place, 'a second YAML document', { help: 'a file holds one: remove the "---"' });
    return null;
  }
  return readNode(events, source, { problems, sealed });
}

function decode(file: string, bytes: Uint8Array, problems: Problems): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    problems.add({ file, line: 1, column: 1 }, 'the file is not UTF-8 text');
    return null;
  }
}

/** Nothing of a file that Salt would render first means what it says: it is told once. */
function refuseJinja({ text, placeAt }: Source, problems: Problems): boolean {
  const found = findJinja(text);
  if (found === null) return false;
  problems.add(placeAt(found.offset), found.message, { help: found.help });
  return true;
}

function parse(source: Source, problems: Problems): Event[] | null {
  try {
    return parseEvents(source.text, { filename: source.file, maxDepth: DEEPEST });
  } catch (error) {
    const offset = error instanceof YAMLException ? (error.mark?.position ?? 0) : 0;
    const reason = error instanceof YAMLException ? error.reason : messageOf(error);
    problems.add(source.placeAt(offset), `cannot read this as YAML: ${reason}`, {
      help: helpFor(source.text, offset) ?? HELP.get(reason) ?? null,
    });
    return null;
  }
}

const HELP = new Map([
  ['deficient indentation', 'a quote, bracket or brace that is opened above may not be closed'],
  ['tab characters must not be used in indentation', 'indent with spaces'],
  ['bad indentation of a mapping entry', 'keys of one mapping stand below each other'],
]);

function helpFor(text: string, offset: number): string | null {
  const lineStart = text.lastIndexOf('\n', Math.max(offset - 1, 0)) + 1;
  const lineEnd = text.indexOf('\n', offset);
  const line = text.slice(lineStart, lineEnd === -1 ? text.length : lineEnd);
  return jinjaHelp(line) ?? unquotedExpression(line);
}

/** The commonest mistake has its own words: an expression that YAML takes for a mapping. */
function unquotedExpression(line: string): string | null {
  const value = /(?:^|[:\-[,]\s*)([^\s"'[,:]*\{\{.*\}\}[^\s,\]]*)/u.exec(line)?.[1];
  return value === undefined ? null : `quote what holds an expression: ${quoted(value)}`;
}

function quoted(text: string): string {
  return text.includes('"') ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}

function documentsIn(events: readonly Event[]): number[] {
  return events.flatMap((event, index) => (event.type === EVENT_ID.DOCUMENT ? [index] : []));
}

function firstOffset(events: readonly Event[], from: number): number {
  const event = events[from + 1];
  if (event === undefined) return 0;
  if ('start' in event) return event.start;
  return 'valueStart' in event ? Math.max(event.valueStart, 0) : 0;
}
