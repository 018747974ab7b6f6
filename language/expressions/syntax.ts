import Handlebars from 'handlebars';
import { messageOf } from '../../shared/errors.ts';
import { jinjaHelp } from '../values/jinja.ts';
import { readParts } from './syntax-parts.ts';
import { SpotMistake, type Part, type Spot } from './syntax-tree.ts';

/** Reads a text with `{{ }}` in it. Throws a SpotMistake at the first mistake. */
export function parseSyntax(text: string): readonly Part[] {
  refuseHuge(text);
  return readParts(parseHandlebars(text));
}

const LONGEST_EXPRESSION = 8192;
const MOST_EXPRESSIONS = 10_000;

/** The time that reading takes grows with the square of these. Comments may be of any length. */
function refuseHuge(text: string): void {
  const opened = [...text.matchAll(/(?<!\\)\{\{(?!\{?!)/gu)];
  for (const [number, { index }] of opened.entries()) {
    const end = text.indexOf('}}', index);
    const length = (end < 0 ? text.length : end) - index;
    if (length > LONGEST_EXPRESSION) {
      const message = `this expression does not end within ${LONGEST_EXPRESSION} characters`;
      throw new SpotMistake(spotAt(text, index), message, HELP);
    }
    if (number < MOST_EXPRESSIONS) continue;
    const message = `one text has more than ${MOST_EXPRESSIONS} expressions`;
    throw new SpotMistake(spotAt(text, index), message, 'loop over a list with {{#each}}');
  }
}

function parseHandlebars(text: string): hbs.AST.Program {
  try {
    return Handlebars.parse(text);
  } catch (error) {
    throw spotMistake(text, messageOf(error));
  }
}

const MISMATCH = /^(\S+) doesn't match (\S+) - (\d+):(\d+)$/u;

function spotMistake(text: string, message: string): SpotMistake {
  const mismatch = MISMATCH.exec(message);
  if (mismatch !== null) {
    const [, opened, closed, line, column] = mismatch;
    const spot = { line: Number(line), column: Number(column) };
    return new SpotMistake(spot, `"{{#${opened}}}" is closed by "{{/${closed}}}"`);
  }
  const spot = spotOf(text, message);
  const got = /got '([A-Z_]+)'$/u.exec(message)?.[1] ?? '';
  if (got === 'CLOSE_UNESCAPED') {
    const help = 'put a line break between the expression and the brace behind it';
    return new SpotMistake(spot, 'three braces "}}}" where two end the expression', help);
  }
  const open = got === 'EOF' ? unclosedBlock(text) : null;
  if (open !== null) return open;
  if (got === '') return new SpotMistake(spot, message.replace(/ - \d+:\d+$/u, ''));
  const help = jinjaHelp(text.split('\n')[spot.line - 1] ?? '') ?? HELP;
  return new SpotMistake(spot, `cannot read this expression: ${unexpected(got, text, spot)}`, help);
}

const HELP = 'an expression is "{{ name }}" or "{{helper value}}"; "\\{{" is just two braces';

/** The innermost block that the end of the text leaves open. */
function unclosedBlock(text: string): SpotMistake | null {
  const open: { name: string; index: number }[] = [];
  for (const match of text.matchAll(/\{\{~?\s*([#/])\s*([\w-]+)/gu)) {
    const [whole, sign, name = ''] = match;
    if (sign === '#') open.push({ name, index: match.index + whole.length - name.length });
    else open.pop();
  }
  const last = open.at(-1);
  if (last === undefined) return null;
  return new SpotMistake(spotAt(text, last.index), `"{{#${last.name}}}" is not closed`);
}

function spotAt(text: string, offset: number): Spot {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length };
}

function unexpected(got: string, text: string, { line, column }: Spot): string {
  if (got === 'EOF') return 'the text ends before it does';
  const rest = (text.split('\n')[line - 1] ?? '').slice(column);
  const token = /^(?:\}\}|\{\{[#/]?|[\w.-]+|.)/u.exec(rest)?.[0];
  return token === undefined ? 'the line ends before it does' : `unexpected "${token}"`;
}

/** Handlebars tells the line, and shows what stands around the place without line breaks. */
function spotOf(text: string, message: string): Spot {
  const line = Number(/on line (\d+)/u.exec(message)?.[1] ?? 1);
  const [, shown = '', arrow = ''] = message.split('\n');
  const isCut = shown.startsWith('...');
  const window = isCut ? shown.slice(3) : shown;
  const caret = arrow.indexOf('^') - (isCut ? 3 : 0);
  const offsets = indexesWithoutBreaks(text);
  const flat = offsets.map((offset) => text[offset]).join('');
  const found = flat.indexOf(window);
  if (found < 0) return { line, column: 0 };
  return spotAt(text, offsets[found + caret] ?? text.length);
}

function indexesWithoutBreaks(text: string): number[] {
  const indexes: number[] = [];
  for (let index = 0; index < text.length; index += 1)
    if (text[index] !== '\n') indexes.push(index);
  return indexes;
}
