import { inspect } from 'node:util';

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

const SHORTEST_PART = 4;

/**
 * Makes a redactor for the given secret strings. Longer secrets are replaced first, so that one
 * that holds another is blanked whole; each line of a secret of several lines is blanked too.
 * `fingerprint` tells equal secrets apart without telling what they are.
 */
export function redactor(
  secrets: Iterable<string>,
  fingerprint: (secret: string) => string,
): Redact {
  const marks = new Map<string, string>();
  for (const secret of secrets) {
    const mark = `secret(${fingerprint(secret)})`;
    for (const part of [secret, ...secret.split('\n')]) {
      if (part.trim().length >= SHORTEST_PART && !marks.has(part)) marks.set(part, mark);
    }
  }
  const parts = [...marks].toSorted(([a], [b]) => b.length - a.length);
  return (text) => parts.reduce((masked, [part, mark]) => masked.replaceAll(part, mark), text);
}
