import type { LineArgs } from '../file-line-schema.ts';
import { declaredLines, indentOf, indexOfLines, joined, linesOf } from './lines.ts';
import { compilePattern } from './pattern.ts';
import { refuseEdit } from './edited-text.ts';

/** A text with one edit of `file.line` made. */
export function lineEdited(text: string, args: LineArgs): string {
  const lines = linesOf(text);
  const result = EDITS[args.action](lines, args);
  return result === lines ? text : joined(result, text);
}

/** Nothing to replace, though the line that is to be there is not. */
export function lineDoubts(text: string, args: LineArgs): string {
  const lines = linesOf(text);
  const sought = args.match ?? args.content ?? '';
  if (args.action !== 'replace' || matching(lines, sought).length > 0) return '';
  const isThere = indexOfLines(lines, contentFor('', args), sameness(args)) !== -1;
  return isThere ? '' : `no line matches "${sought}", so nothing is replaced`;
}

type LineEdit = (lines: readonly string[], args: LineArgs) => readonly string[];

const EDITS: Readonly<Record<LineArgs['action'], LineEdit>> = {
  replace(lines, args) {
    const found = new Set(matching(lines, args.match ?? args.content ?? ''));
    if (found.size === 0) return lines;
    return lines.flatMap((line, index) => (found.has(index) ? contentFor(line, args) : [line]));
  },
  delete(lines, args) {
    const found = new Set(matching(lines, args.match ?? args.content ?? ''));
    if (found.size === 0) return lines;
    return lines.filter((_line, index) => !found.has(index));
  },
  insert: inserted,
  ensure: ensured,
};

/** Which lines hold a text; if none does, which of them it matches as a regular expression. */
function matching(lines: readonly string[], text: string): number[] {
  const holding = indexesOf(lines, (line) => line.includes(text));
  if (holding.length > 0) return holding;
  const regex = compilePattern(text);
  return indexesOf(lines, (line) => regex.test(line));
}

function indexesOf(lines: readonly string[], isWanted: (line: string) => boolean): number[] {
  return lines.flatMap((line, index) => (isWanted(line) ? [index] : []));
}

/** The content, indented as the line that it replaces or stands by. */
function contentFor(beside: string, { content = '', indent }: LineArgs): string[] {
  const lines = content === '' ? [''] : declaredLines(content);
  return indent ? lines.map((line) => indentOf(beside) + line.trimStart()) : lines;
}

function isContent(lines: readonly string[], args: LineArgs): boolean {
  const content = contentFor('', args);
  return lines.length >= content.length && indexOfLines(lines, content, sameness(args)) === 0;
}

function sameness({ indent }: LineArgs): (a: string, b: string) => boolean {
  return indent ? (a, b) => a.trimStart() === b.trimStart() : (a, b) => a === b;
}

/** The one line that a place names; `null` if it is none and that is fine. */
function placeOf(
  lines: readonly string[],
  which: 'before' | 'after',
  args: LineArgs,
): number | null {
  const found = matching(lines, args[which] ?? '');
  const [only, second] = found;
  if (only !== undefined && second === undefined) return only;
  if (args.quiet) return null;
  const state =
    only === undefined
      ? `no line is what \`${which}\` says`
      : `${found.length} lines are what \`${which}\` says, from line ${only + 1} on`;
  return refuseEdit(args, state);
}

function spliced(lines: readonly string[], at: number, added: readonly string[]): string[] {
  return lines.toSpliced(at, 0, ...added);
}

function inserted(lines: readonly string[], args: LineArgs): readonly string[] {
  if (args.location !== undefined) return insertedAtEnd(lines, args);
  if (args.before === undefined) return insertedAfter(lines, args);
  return args.after === undefined ? insertedBefore(lines, args) : insertedBetween(lines, args);
}

function insertedAtEnd(lines: readonly string[], args: LineArgs): readonly string[] {
  const isStart = args.location === 'start';
  const count = contentFor('', args).length;
  if (isContent(isStart ? lines : lines.slice(-count), args)) return lines;
  const beside = (isStart ? lines[0] : lines.at(-1)) ?? '';
  return spliced(lines, isStart ? 0 : lines.length, contentFor(beside, args));
}

function insertedBefore(lines: readonly string[], args: LineArgs): readonly string[] {
  const at = placeOf(lines, 'before', args);
  const count = contentFor('', args).length;
  if (at === null || (at >= count && isContent(lines.slice(at - count), args))) return lines;
  return spliced(lines, at, contentFor(lines[at] ?? '', args));
}

function insertedAfter(lines: readonly string[], args: LineArgs): readonly string[] {
  const at = placeOf(lines, 'after', args);
  if (at === null || isContent(lines.slice(at + 1), args)) return lines;
  return spliced(lines, at + 1, contentFor(lines[at] ?? '', args));
}

interface Region {
  readonly from: number;
  readonly to: number;
}

function regionOf(lines: readonly string[], args: LineArgs): Region | null {
  const after = args.after === undefined ? -1 : placeOf(lines, 'after', args);
  const before = args.before === undefined ? lines.length : placeOf(lines, 'before', args);
  if (after === null || before === null) return null;
  if (before > after) return { from: after + 1, to: before };
  return refuseEdit(args, 'what `before` says comes before what `after` says');
}

function isIn(lines: readonly string[], { from, to }: Region, args: LineArgs): boolean {
  return indexOfLines(lines.slice(from, to), contentFor('', args), sameness(args)) !== -1;
}

function insertedBetween(lines: readonly string[], args: LineArgs): readonly string[] {
  const region = regionOf(lines, args);
  if (region === null || isIn(lines, region, args)) return lines;
  return spliced(lines, region.to, contentFor(lines[region.to] ?? '', args));
}

/** Between two places there may be one other line, which the content takes the place of. */
function ensured(lines: readonly string[], args: LineArgs): readonly string[] {
  const region = regionOf(lines, args);
  if (region === null || isIn(lines, region, args)) return lines;
  const { from, to } = region;
  if (args.after === undefined) return spliced(lines, to, contentFor(lines[to] ?? '', args));
  if (args.before === undefined || to === from) {
    return spliced(lines, from, contentFor(lines[from - 1] ?? '', args));
  }
  if (to - from === 1) return lines.toSpliced(from, 1, ...contentFor(lines[from] ?? '', args));
  return refuseEdit(args, `between \`after\` and \`before\` there are ${to - from} lines already`);
}
