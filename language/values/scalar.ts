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

/** YAML 1.1's other words for true and false, as Salt's own files (`.sls`) use them. */
const SALT_WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['yes', 'Yes', 'YES', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['no', 'No', 'NO', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

/** What a plain scalar means in a file of Salt's. */
export function resolveSaltPlain(text: string): Scalar | undefined {
  return SALT_WORDS.get(text) ?? resolvePlain(text);
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

type Letter = { readonly letter: string; readonly style: Style };

function step(source: string, position: number, { letter, style }: Letter): number {
  if (isSpace(letter)) return spaceStep(source, position, style);
  const here = settle(source, position, letter);
  if (style === 'double' && source[here] === '\\') return here + escapeLength(source, here);
  return here + (style === 'single' && letter === "'" ? 2 : 1);
}

function spaceStep(source: string, position: number, style: Style): number {
  if (isSpace(source[position] ?? '')) return position + 1;
  const isEscape = style === 'double' && source[position] === '\\';
  return isEscape ? position + escapeLength(source, position) : position;
}

function isSpace(letter: string): boolean {
  return /^\s$/u.test(letter);
}

/** Steps over white space that the decoded text does not have. */
function settle(source: string, position: number, letter: string): number {
  if (letter === '' || isSpace(letter)) return position;
  let here = position;
  while (isSpace(source[here] ?? '')) here += 1;
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
