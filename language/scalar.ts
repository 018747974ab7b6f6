import type { Scalar } from './data.ts';

const INTEGER = /^[-+]?[0-9]+$/u;
const NUMBER = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/u;

const WORDS = new Map<string, Scalar>([
  ['', null],
  ['~', null],
  ['null', null],
  ['Null', null],
  ['NULL', null],
  ['true', true],
  ['True', true],
  ['TRUE', true],
  ['false', false],
  ['False', false],
  ['FALSE', false],
]);

/**
 * What a plain scalar means: YAML 1.2's core schema, but a number that would not be printed as it
 * was written (`0644`, `1.10`, `0x1F`) stays the author's text. `undefined` for a whole number that
 * JavaScript cannot hold.
 */
export function resolvePlain(text: string): Scalar | undefined {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!NUMBER.test(text)) return text;
  const number = Number(text);
  if (String(number) === text) return number;
  const isHuge = INTEGER.test(text) && !/^[-+]?0/u.test(text) && !Number.isSafeInteger(number);
  return isHuge ? undefined : text;
}

type Style = 'plain' | 'single' | 'double';

/**
 * Where in `source` a character of the decoded scalar stands. Both are walked side by side; white
 * space that YAML folded or indented is stepped over, so positions of visible characters are exact.
 */
export function sourceOffset(
  decoded: string,
  source: string,
  { start, style, offset }: { start: number; style: Style; offset: number },
): number {
  let position = start;
  for (let index = 0; index < offset; index += 1) {
    position = step(source, position, { letter: decoded[index] ?? '', style });
  }
  return settle(source, position, decoded[offset] ?? '');
}

function step(
  source: string,
  position: number,
  { letter, style }: { letter: string; style: Style },
): number {
  const isSpace = /\s/u.test(letter);
  if (isSpace && style !== 'double') {
    return /\s/u.test(source[position] ?? '') ? position + 1 : position;
  }
  const here = isSpace ? position : settle(source, position, letter);
  if (style === 'double' && source[here] === '\\') return here + escapeLength(source, here);
  if (isSpace && !/\s/u.test(source[here] ?? '')) return here;
  return here + (style === 'single' && letter === "'" ? 2 : 1);
}

/** Steps over white space that the decoded text does not have. */
function settle(source: string, position: number, letter: string): number {
  if (letter === '' || /\s/u.test(letter)) return position;
  let here = position;
  while (here < source.length && /\s/u.test(source[here] ?? '')) here += 1;
  return here;
}

const ESCAPE_LENGTHS = new Map([
  ['x', 4],
  ['u', 6],
  ['U', 10],
]);

function escapeLength(source: string, position: number): number {
  return ESCAPE_LENGTHS.get(source[position + 1] ?? '') ?? 2;
}
