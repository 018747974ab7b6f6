import { isDeepStrictEqual } from 'node:util';
import { describe, isMapping, type Data } from '../values/data.ts';
import { HelperMistake, list, text, type Helper } from './helper.ts';

const ENDLESS = 100;

const both = { least: 2, most: 2 };
const one = { least: 1, most: 1 };

function compare(a: Data, b: Data): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string' && a !== b) return a < b ? -1 : 1;
  if (typeof a === 'string' && typeof b === 'string') return 0;
  throw new HelperMistake(`cannot compare ${describe(a)} with ${describe(b)}`);
}

function contains(item: Data, whole: Data): boolean {
  if (typeof whole === 'string') return whole.includes(text(item));
  if (isMapping(whole)) return Object.hasOwn(whole, text(item));
  return list(whole).some((member) => isDeepStrictEqual(member, item));
}

/** Helpers that choose and compare, and `port`. */
export const CHOICE_HELPERS: Readonly<Record<string, Helper>> = {
  default: {
    usage: 'default VALUE… FALLBACK',
    says: 'The first value that is there and not null; nothing need be defined but the last.',
    example: ['default pillar.nothing 8000', '8000'],
    least: 2,
    most: ENDLESS,
    run: null,
  },
  and: {
    usage: 'and VALUE…',
    says: 'The first value that counts as false, else the last.',
    example: ['and true "yes"', '"yes"'],
    least: 2,
    most: ENDLESS,
    run: null,
  },
  or: {
    usage: 'or VALUE…',
    says: 'The first value that counts as true, else the last.',
    example: ['or "" "yes"', '"yes"'],
    least: 2,
    most: ENDLESS,
    run: null,
  },
  not: {
    usage: 'not VALUE',
    says: 'Whether the value is false, null, 0, an empty text or an empty list.',
    example: ['not ""', 'true'],
    ...one,
    run: null,
  },
  port: {
    usage: 'port NAME',
    says: 'The port number of that name: the same on this minion ever after.',
    example: ['port "hello"', '8000'],
    ...one,
    run: null,
  },
  eq: {
    usage: 'eq A B',
    says: 'Whether two values are equal.',
    example: ['eq 1 1', 'true'],
    ...both,
    run: (a = null, b = null) => isDeepStrictEqual(a, b),
  },
  ne: {
    usage: 'ne A B',
    says: 'Whether two values differ.',
    example: ['ne 1 "1"', 'true'],
    ...both,
    run: (a = null, b = null) => !isDeepStrictEqual(a, b),
  },
  lt: {
    usage: 'lt A B',
    says: 'Whether a number or text comes before another.',
    example: ['lt 9 10', 'true'],
    ...both,
    run: (a = null, b = null) => compare(a, b) < 0,
  },
  gt: {
    usage: 'gt A B',
    says: 'Whether a number or text comes after another.',
    example: ['gt 9 10', 'false'],
    ...both,
    run: (a = null, b = null) => compare(a, b) > 0,
  },
  in: {
    usage: 'in ITEM WHOLE',
    says: 'Whether a list has the item, a mapping the key, or a text the part.',
    example: ['in "b" (split "a,b" ",")', 'true'],
    ...both,
    run: (item = null, whole = null) => contains(item, whole),
  },
};
