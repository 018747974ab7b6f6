import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event, type ScalarEvent } from 'js-yaml';

import { showPlace, type Place } from '../place.ts';
import { FORBIDDEN_KEYS } from './data.ts';
import type { BrokenNode, Entry, MappingNode, Node, ScalarNode, SequenceNode } from './node.ts';
import type { Problems } from '../problem.ts';
import { resolvePlain, resolveSaltPlain, sourceOffset } from './scalar.ts';
import { isBlock, styleOf } from './yaml-style.ts';
import { isMergeKey, mergeInto } from './yaml-merge.ts';
import { isSaltFile, type Source } from './yaml-source.ts';

const MOST_ALIASES = 100;
const MOST_NODES = 200_000;

interface Reader {
  readonly events: readonly Event[];
  readonly source: Source;
  readonly problems: Problems;
  readonly sealed: boolean;
  readonly anchors: Map<string, { node: Node; size: number }>;
  index: number;
  aliases: number;
  /** Nodes so far, with those that aliases repeat. */
  size: number;
  /** The end of what was read last: the place of an empty value. */
  last: number;
}

type Options = { readonly problems: Problems; readonly sealed: boolean };

/** Builds the tree of nodes of a document's events, and reports what the language forbids. */
export function readNode(
  events: readonly Event[],
  source: Source,
  { problems, sealed }: Options,
): Node {
  const counters = { index: 1, aliases: 0, size: 0, last: 0 };
  return next({ events, source, problems, sealed, anchors: new Map(), ...counters });
}

function next(reader: Reader): Node {
  const event = reader.events[reader.index];
  reader.index += 1;
  reader.size += 1;
  const begun = reader.size;
  if (event === undefined) return broken(reader, reader.last);
  if (event.type === EVENT_ID.ALIAS) return alias(reader, event.anchorStart, event.anchorEnd);
  if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) {
    return broken(reader, reader.last);
  }

  const node = construct(reader, event);
  if (event.anchorStart >= 0) {
    const name = reader.source.text.slice(event.anchorStart, event.anchorEnd);
    reader.anchors.set(name, { node, size: reader.size - begun + 1 });
  }
  return node;
}

type Valued = Extract<Event, { tagStart: number }>;

function construct(reader: Reader, event: Valued): Node {
  const tag = event.tagStart < 0 ? '' : reader.source.text.slice(event.tagStart, event.tagEnd);
  if (event.type === EVENT_ID.SCALAR) return scalar(reader, event, tag);
  const node = event.type === EVENT_ID.SEQUENCE ? sequence(reader, event) : mapping(reader, event);
  const fits = event.type === EVENT_ID.SEQUENCE ? '!!seq' : '!!map';
  return tag === '' || tag === fits ? node : unknownTag(reader, event.tagStart, tag);
}

function unknownTag(reader: Reader, offset: number, tag: string): BrokenNode {
  const help =
    tag === '!sealed'
      ? '"!sealed" stands before a text in a pillar file'
      : 'only "!sealed" (in pillars) and YAML\'s own "!!str" are understood';
  reader.problems.add(reader.source.placeAt(offset), `unknown tag "${tag}"`, { help });
  return broken(reader, offset);
}

function alias(reader: Reader, start: number, end: number): Node {
  reader.last = end;
  reader.aliases += 1;
  const name = reader.source.text.slice(start, end);
  const known = reader.anchors.get(name);
  reader.size += known?.size ?? 0;
  const message = aliasMistake(reader, name, known !== undefined);
  if (message === null && known !== undefined) return known.node;
  reader.problems.add(reader.source.placeAt(start - 1), message ?? '');
  return broken(reader, start - 1);
}

function aliasMistake(reader: Reader, name: string, isKnown: boolean): string | null {
  if (!isKnown) return `no anchor "&${name}" stands before this alias`;
  if (reader.aliases > MOST_ALIASES) return `more than ${MOST_ALIASES} aliases in one file`;
  return reader.size > MOST_NODES ? `aliases make more than ${MOST_NODES} values of this` : null;
}

function broken(reader: Reader, offset: number): BrokenNode {
  return { kind: 'broken', place: reader.source.placeAt(Math.max(offset, 0)) };
}

function sequence(reader: Reader, { start }: { start: number }): SequenceNode {
  const items: Node[] = [];
  while (!atEnd(reader)) items.push(next(reader));
  reader.index += 1;
  return { kind: 'sequence', place: reader.source.placeAt(start), items };
}

function atEnd(reader: Reader): boolean {
  const event = reader.events[reader.index];
  return event === undefined || event.type === EVENT_ID.POP;
}

function mapping(reader: Reader, { start }: { start: number }): Node {
  const entries = new Map<string, Entry>();
  const merged: Node[] = [];
  const firstKey = reader.events[reader.index];
  const isExpression =
    firstKey?.type === EVENT_ID.MAPPING && reader.source.text.startsWith('{{', start);
  while (!atEnd(reader)) {
    const keyEvent = reader.events[reader.index];
    const key = next(reader);
    const value = next(reader);
    if (isMergeKey(key, reader.source.file)) merged.push(value);
    else if (!isExpression) addEntry(reader, entries, { keyEvent, key, value });
  }
  reader.index += 1;
  if (isExpression) return unquoted(reader, start);
  mergeInto(entries, merged, reader.problems);
  const result: MappingNode = {
    kind: 'mapping',
    place: reader.source.placeAt(start),
    entries: [...entries.values()],
  };
  return result;
}

function unquoted(reader: Reader, start: number): BrokenNode {
  const end = reader.source.text.indexOf('}}', start);
  const text = reader.source.text.slice(start, end === -1 ? start + 20 : end + 2);
  const quote = text.includes('"') ? "'" : '"';
  reader.problems.add(
    reader.source.placeAt(start),
    'an expression without quotes is a mapping to YAML',
    { help: `write ${quote}${text}${quote}` },
  );
  return broken(reader, start);
}

interface Pair {
  readonly keyEvent: Event | undefined;
  readonly key: Node;
  readonly value: Node;
}

function addEntry(
  { problems, source }: Reader,
  entries: Map<string, Entry>,
  { keyEvent, key, value }: Pair,
): void {
  if (key.kind === 'broken') return;
  if (key.kind !== 'scalar' || key.value === null) {
    problems.add(key.place, 'a key must be a text');
    return;
  }
  const text = keyEvent?.type === EVENT_ID.SCALAR ? getScalarValue(source.text, keyEvent) : null;
  const name = text ?? String(key.value);
  const mistake = keyMistake(name, entries);
  if (mistake === null) {
    entries.set(name, { key: name, keyNode: { ...key, value: name }, value });
  } else problems.add(key.place, mistake.message, { help: mistake.help });
}

function keyMistake(
  name: string,
  entries: Map<string, Entry>,
): { message: string; help: string | null } | null {
  if (FORBIDDEN_KEYS.has(name)) return { message: `the key "${name}" is forbidden`, help: null };
  if (name === '<<') {
    return { message: 'merge keys ("<<") are not understood', help: 'write the keys out' };
  }
  const first = entries.get(name);
  if (first === undefined) return null;
  const help = `the first one is at ${showPlace(first.keyNode.place)}`;
  return { message: `the key "${name}" stands here twice`, help };
}

function scalar(reader: Reader, event: ScalarEvent, tag: string): ScalarNode | BrokenNode {
  const { place, text, at } = located(reader, event);
  if (tag === '!sealed' && reader.sealed) {
    return { kind: 'scalar', place, value: text, sealed: true, at };
  }
  if (tag !== '' && tag !== '!!str') return unknownTag(reader, event.tagStart, tag);
  const isText = event.style !== SCALAR_STYLE.PLAIN || tag === '!!str';
  const resolve = isSaltFile(reader.source.file) ? resolveSaltPlain : resolvePlain;
  const value = isText ? text : resolve(text);
  return value === undefined ? tooLarge(reader, place, text) : { kind: 'scalar', place, value, at };
}

interface Located {
  readonly text: string;
  readonly place: Place;
  readonly at: (offset: number) => Place;
}

function located(reader: Reader, event: ScalarEvent): Located {
  const { source } = reader;
  const isAbsent = event.valueStart < 0;
  const text = isAbsent ? '' : getScalarValue(source.text, event);
  const start = isAbsent ? reader.last : event.valueStart;
  reader.last = Math.max(event.valueEnd, reader.last);
  const at = positions(source, event, text);
  const quote = styleOf(event) === 'plain' ? 0 : 1;
  return { text, at, place: isBlock(event) ? at(0) : source.placeAt(start - quote) };
}

function tooLarge({ problems }: Reader, place: Place, text: string): BrokenNode {
  const help = `write "${text}" in quotes to make it a text`;
  problems.add(place, `the number ${text} is too large to be exact`, { help });
  return { kind: 'broken', place };
}

function positions(source: Source, event: ScalarEvent, text: string): (at: number) => Place {
  return (offset) => {
    const from = { start: Math.max(event.valueStart, 0), style: styleOf(event), offset };
    return source.placeAt(sourceOffset(text, source.text, from));
  };
}
