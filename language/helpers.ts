import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { dump } from 'js-yaml';
import { describe, isList, isMapping, type Data, type DataMapping } from './data.ts';

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

const MOST_ITEMS = 10_000;
const ENDLESS = 100;

function text(data: Data): string {
  if (typeof data === 'string' || typeof data === 'number') return String(data);
  throw new HelperMistake(`expected a text, got ${describe(data)}`);
}

function list(data: Data): readonly Data[] {
  if (isList(data)) return data;
  throw new HelperMistake(`expected a list, got ${describe(data)}`);
}

function mapping(data: Data): DataMapping {
  if (isMapping(data)) return data;
  throw new HelperMistake(`expected a mapping, got ${describe(data)}`);
}

function whole(data: Data): number {
  if (typeof data === 'number' && Number.isSafeInteger(data)) return data;
  throw new HelperMistake(`expected a whole number, got ${describe(data)}`);
}

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

function concat(...parts: readonly Data[]): Data {
  return parts.some(isList) ? parts.flatMap(list) : parts.map(text).join('');
}

function range(from: Data, to?: Data): Data {
  const [start, end] = to === undefined ? [0, whole(from)] : [whole(from), whole(to)];
  const count = Math.max(end - start, 0);
  if (count > MOST_ITEMS) throw new HelperMistake(`more than ${MOST_ITEMS} numbers`);
  return Array.from({ length: count }, (_, index) => start + index);
}

function slug(data: Data): string {
  const plain = text(data).normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.replaceAll(/[^a-z0-9]+/gu, '-').replaceAll(/^-+|-+$/gu, '');
}

function shellquote(data: Data): string {
  const words = isList(data) ? data : [data];
  return words.map((word) => `'${text(word).replaceAll("'", `'\\''`)}'`).join(' ');
}

function size(data: Data): number {
  if (typeof data === 'string' || isList(data)) return data.length;
  return Object.keys(mapping(data)).length;
}

/** A value below another: `get pillar "web.port"`; the last argument is for when there is none. */
function get(data: Data, path: Data, otherwise?: Data): Data {
  let found: Data | undefined = data;
  for (const part of text(path).split('.')) {
    if (isMapping(found) && Object.hasOwn(found, part)) found = found[part];
    else if (isList(found) && /^\d+$/u.test(part)) found = found[Number(part)];
    else found = undefined;
  }
  const result = found ?? otherwise ?? found;
  if (result === undefined) throw new HelperMistake(`there is no "${text(path)}" in it`);
  return result;
}

const both = { least: 2, most: 2 };
const one = { least: 1, most: 1 };

/** Every helper there is: a closed list. */
export const HELPERS: Readonly<Record<string, Helper>> = {
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
  concat: {
    usage: 'concat PART…',
    says: 'Texts put together, or lists put together.',
    example: ['concat "web" 1', '"web1"'],
    least: 1,
    most: ENDLESS,
    run: concat,
  },
  join: {
    usage: 'join LIST SEPARATOR',
    says: 'The items as one text.',
    example: ['join (split "a b" " ") ", "', '"a, b"'],
    ...both,
    run: (items = null, separator = null) => list(items).map(text).join(text(separator)),
  },
  split: {
    usage: 'split TEXT SEPARATOR',
    says: 'The parts of a text as a list; an empty text has none.',
    example: ['split "a,b" ","', '["a","b"]'],
    ...both,
    run: (whole = null, separator = null) =>
      text(whole) === '' ? [] : text(whole).split(text(separator)),
  },
  lower: {
    usage: 'lower TEXT',
    says: 'In small letters.',
    example: ['lower "Web"', '"web"'],
    ...one,
    run: (data = null) => text(data).toLowerCase(),
  },
  upper: {
    usage: 'upper TEXT',
    says: 'In capital letters.',
    example: ['upper "Web"', '"WEB"'],
    ...one,
    run: (data = null) => text(data).toUpperCase(),
  },
  replace: {
    usage: 'replace TEXT FROM TO',
    says: 'Every occurrence replaced; no patterns.',
    example: ['replace "a.b.c" "." "_"', '"a_b_c"'],
    least: 3,
    most: 3,
    run: (whole = null, from = null, to = null) =>
      text(whole).replaceAll(text(from), () => text(to)),
  },
  slug: {
    usage: 'slug TEXT',
    says: 'Small letters, digits and hyphens only.',
    example: ['slug "Open Knesset!"', '"open-knesset"'],
    ...one,
    run: (data = null) => slug(data),
  },
  json: {
    usage: 'json VALUE [SPACES]',
    says: 'As JSON; on several lines if a number of spaces is given.',
    example: ['json (split "a" ",")', '"[\\"a\\"]"'],
    least: 1,
    most: 2,
    run: (data = null, spaces = 0) => JSON.stringify(data, null, whole(spaces)),
  },
  yaml: {
    usage: 'yaml VALUE',
    says: 'As YAML, with a line break at the end of every line but the last.',
    example: ['yaml (split "a" ",")', '"- a"'],
    ...one,
    run: (data = null) => dump(data, { lineWidth: -1, noRefs: true }).trimEnd(),
  },
  base64: {
    usage: 'base64 TEXT',
    says: 'The UTF-8 bytes in base64.',
    example: ['base64 "hi"', '"aGk="'],
    ...one,
    run: (data = null) => Buffer.from(text(data), 'utf8').toString('base64'),
  },
  sha256: {
    usage: 'sha256 TEXT',
    says: 'SHA-256 of the UTF-8 bytes, in hex.',
    example: ['sha256 "hi"', '"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"'],
    ...one,
    run: (data = null) => createHash('sha256').update(text(data), 'utf8').digest('hex'),
  },
  length: {
    usage: 'length VALUE',
    says: 'How many characters, items or keys.',
    example: ['length "four"', '4'],
    ...one,
    run: (data = null) => size(data),
  },
  keys: {
    usage: 'keys MAPPING',
    says: 'The keys as a list, in their order.',
    example: ['keys minion', '["id","groups"]'],
    ...one,
    keepsSecrets: true,
    run: (data = null) => Object.keys(mapping(data)),
  },
  values: {
    usage: 'values MAPPING',
    says: 'The values as a list, in the order of the keys.',
    example: ['length (values minion)', '2'],
    ...one,
    keepsSecrets: true,
    run: (data = null) => Object.values(mapping(data)),
  },
  get: {
    usage: 'get VALUE "PATH" [FALLBACK]',
    says: 'What is below a value; without a fallback it must be there.',
    example: ['get minion "groups.0" "none"', '"web"'],
    least: 2,
    most: 3,
    keepsSecrets: true,
    run: (data = null, path = null, otherwise) => get(data, path, otherwise),
  },
  range: {
    usage: 'range [FROM] END',
    says: 'Whole numbers, the end not among them.',
    example: ['range 3', '[0,1,2]'],
    least: 1,
    most: 2,
    run: (from = null, to) => range(from, to),
  },
  indent: {
    usage: 'indent TEXT SPACES',
    says: 'Every line but the first moved to the right.',
    example: ['indent "a\nb" 2', '"a\\n  b"'],
    ...both,
    run: (whole_ = null, spaces = null) =>
      text(whole_).replaceAll(/\n(?=[^\n])/gu, `\n${' '.repeat(whole(spaces))}`),
  },
  shellquote: {
    usage: 'shellquote TEXT',
    says: 'As one word for a shell; a list as one word an item.',
    example: ['shellquote "it is"', `"'it is'"`],
    ...one,
    run: (data = null) => shellquote(data),
  },
};

export const HELPER_NAMES: ReadonlySet<string> = new Set(Object.keys(HELPERS));
