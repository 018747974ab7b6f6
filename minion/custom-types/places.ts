import type { Place } from '../../language/place.ts';
import { Mistake } from '../../language/problem.ts';
import { messageOf } from '../../shared/errors.ts';

/** Texts of modules by their paths. */
export type Sources = ReadonlyMap<string, string>;

/** Finds out where in its source something happened that is known by where it runs. */
export interface Places {
  /** The code that is run of a module: line by line the same, with more and fewer words in a line. */
  learn(path: string, code: string): void;
  /** The innermost place of an error in the tree's own modules; `null` if it has none. */
  ofError(error: unknown): Place | null;
  /** What is wrong with a module that cannot be read. */
  ofSyntaxError(path: string, error: unknown): Mistake;
}

export function createPlaces(sources: Sources): Places {
  const codes = new Map<string, string>();

  function original({ file, line, column }: Place): Place {
    const code = lineOf(codes.get(file), line);
    return { file, line, column: columnIn(lineOf(sources.get(file), line), code, column) };
  }

  return {
    learn: (path, code) => void codes.set(path, code),
    ofError(error) {
      const stack = error instanceof Error ? (error.stack ?? '') : '';
      for (const [, file = '', line, column] of stack.matchAll(FRAME)) {
        if (sources.has(file))
          return original({ file, line: Number(line), column: Number(column) });
      }
      return null;
    },
    ofSyntaxError(path, error) {
      const parsed = fromParser(path, error);
      if (parsed !== null) return parsed;
      return new Mistake(original(fromEngine(path, error)), words(messageOf(error)));
    },
  };
}

function lineOf(text: string | undefined, line: number): string {
  return text?.split('\n')[line - 1] ?? '';
}

/**
 * Where in a line of source the word stands at which the code that was made of it is: of equal words
 * the same in number. What has been added to the code is passed over, backwards.
 */
function columnIn(source: string, code: string, column: number): number {
  const places = wordsOf(source);
  const before = [...code.matchAll(WORD)].filter(({ index }) => index < column);
  for (const { 0: word, index } of before.toReversed()) {
    const here = places.get(word) ?? [];
    const number = before.filter((other) => other[0] === word && other.index < index).length;
    const found = here[Math.min(number, here.length - 1)];
    if (found !== undefined) return found + 1;
  }
  return Math.max(0, source.search(/\S/u)) + 1;
}

const WORD = /[\w$]+/gu;

function wordsOf(line: string): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (const { 0: word, index } of line.matchAll(WORD)) {
    places.set(word, [...(places.get(word) ?? []), index]);
  }
  return places;
}

/** `at read (states/_types/motd.ts:12:3)`. */
const FRAME = /^\s+at (?:.* \()?(states\/_types\/[^():]+):(\d+):(\d+)\)?$/gmu;

/** `Error transforming PATH: Unexpected token (3:11)`, which is in the source. */
function fromParser(path: string, error: unknown): Mistake | null {
  const said = /^Error transforming [^:]*: (.*) \((\d+):(\d+)\)$/su.exec(messageOf(error));
  if (said === null) return null;
  const [, message = '', line, column] = said;
  return new Mistake({ file: path, line: Number(line), column: Number(column) }, words(message));
}

/** The head of what it prints: `PATH:LINE`, the line, and a caret below it. */
function fromEngine(file: string, error: unknown): Place {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const [head = '', , caret = ''] = stack.split('\n');
  const line = Number(/:(\d+)$/u.exec(head)?.[1] ?? 1);
  return { file, line, column: Math.max(1, caret.indexOf('^') + 1) };
}

function words(message: string): string {
  const isForTopLevel = message.startsWith('await is only valid');
  const first = message.charAt(0).toLowerCase() + message.slice(1);
  return isForTopLevel ? '"await" can only stand in async functions' : `syntax error: ${first}`;
}

/** Where a quoted text first stands in a source; `null` if it does not. */
export function placeOfText(file: string, source: string, text: string): Place | null {
  const found = [`'${text}'`, `"${text}"`, `\`${text}\``]
    .map((quoted) => source.indexOf(quoted))
    .filter((index) => index >= 0);
  if (found.length === 0) return null;
  const before = source.slice(0, Math.min(...found)).split('\n');
  return { file, line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
