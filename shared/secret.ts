import { inspect } from 'node:util';
import { secretMark } from './marks.ts';
import { encodedForms, writtenForms } from './secret-forms.ts';

/**
 * A value that came from a sealed pillar entry, or was computed from one. By every route that
 * prints (string, JSON, inspect) it shows `***`; only `reveal()` gives the value.
 */
export class Secret<T = unknown> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect.custom](): string {
    return '***';
  }
}

/** Shows a text with every known secret in it replaced by `secret(3f9c)`. */
export type Redact = (text: string) => string;

/** Shorter than this a secret is only found where it stands alone, for it is part of many words. */
const SHORTEST_PART = 4;

/**
 * Makes a redactor for the given secret strings. Longer secrets are replaced first, so that one
 * that holds another is blanked whole; each line of a secret of several lines is blanked too, and
 * so is a secret in the forms in which programs write it down, and in base64 and hexadecimal digits.
 * `fingerprint` tells equal secrets apart without telling what they are.
 */
export function redactor(
  secrets: Iterable<string>,
  fingerprint: (secret: string) => string,
): Redact {
  const marks = new Map<string, string>();
  for (const secret of secrets) {
    const mark = secretMark(fingerprint(secret));
    for (const part of partsOf(secret)) if (!marks.has(part)) marks.set(part, mark);
  }
  const parts = [...marks].toSorted(([a], [b]) => b.length - a.length);
  const blanks = parts.map(([part, mark]) => blank(part, mark));
  return (text) => blanks.reduce((masked, replace) => replace(masked), text);
}

/** Lines are looked for without the spaces around them, which others add and take away. */
function partsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/u).filter((line) => line.trim().length >= SHORTEST_PART);
  const whole = [secret, secret.trim()];
  const texts = [...whole, ...lines.map((line) => line.trim())];
  const forms = texts.flatMap((text) => [text, ...writtenForms(text)]);
  return [...forms, ...whole.flatMap(encodedForms)].filter((text) => text.trim() !== '');
}

function blank(part: string, mark: string): Redact {
  if (part.trim().length >= SHORTEST_PART) return (text) => text.replaceAll(part, () => mark);
  const literal = part.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`);
  const alone = new RegExp(String.raw`(?<![\p{L}\p{N}_])${literal}(?![\p{L}\p{N}_])`, 'gu');
  return (text) => text.replaceAll(alone, () => mark);
}
