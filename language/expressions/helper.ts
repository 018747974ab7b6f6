import { describe, isList, isMapping, type Data, type DataMapping } from '../values/data.ts';

/** Words that show a helper at work; the manual prints them and a test checks them. */
export interface Helper {
  readonly usage: string;
  readonly says: string;
  /** An expression and what it gives, as JSON. */
  readonly example: readonly [expression: string, gives: string];
  readonly least: number;
  readonly most: number;
  /** Handles values without looking into texts, so secrets in them stay as they are. */
  readonly keepsSecrets?: true;
  /** `null` for what the evaluator does itself, because not all arguments are always looked at. */
  readonly run: ((...args: readonly Data[]) => Data) | null;
}

/** What a helper cannot do with its arguments; the evaluator adds the place. */
export class HelperMistake extends Error {
  override readonly name = 'HelperMistake';
}

/** The argument as a text; a HelperMistake if it is none. */
export function text(data: Data): string {
  if (typeof data === 'string' || typeof data === 'number') return String(data);
  throw new HelperMistake(`expected a text, got ${describe(data)}`);
}

export function list(data: Data): readonly Data[] {
  if (isList(data)) return data;
  throw new HelperMistake(`expected a list, got ${describe(data)}`);
}

export function mapping(data: Data): DataMapping {
  if (isMapping(data)) return data;
  throw new HelperMistake(`expected a mapping, got ${describe(data)}`);
}

export function whole(data: Data): number {
  if (typeof data === 'number' && Number.isSafeInteger(data)) return data;
  throw new HelperMistake(`expected a whole number, got ${describe(data)}`);
}
