import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { isList, type Data } from '../values/data.ts';
import { HelperMistake, list, text, whole, type Helper } from './helper.ts';

const ENDLESS = 100;

const both = { least: 2, most: 2 };
const one = { least: 1, most: 1 };

function concat(...parts: readonly Data[]): Data {
  return parts.some(isList) ? parts.flatMap(list) : parts.map(text).join('');
}

function slug(data: Data): string {
  const plain = text(data).normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.replaceAll(/[^a-z0-9]+/gu, '-').replaceAll(/^-+|-+$/gu, '');
}

const DEEPEST = 100;

function depth(data: Data): number {
  const spaces = whole(data);
  if (spaces >= 0 && spaces <= DEEPEST) return spaces;
  throw new HelperMistake(`expected 0 to ${DEEPEST} spaces, got ${spaces}`);
}

function shellquote(data: Data): string {
  const words = isList(data) ? data : [data];
  return words.map((word) => `'${text(word).replaceAll("'", `'\\''`)}'`).join(' ');
}

/** Helpers that make texts. */
export const TEXT_HELPERS: Readonly<Record<string, Helper>> = {
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
  indent: {
    usage: 'indent TEXT SPACES',
    says: 'Every line but the first moved to the right.',
    example: ['indent "a\nb" 2', '"a\\n  b"'],
    ...both,
    run: (whole_ = null, spaces = null) =>
      text(whole_).replaceAll(/\n(?=[^\n])/gu, `\n${' '.repeat(depth(spaces))}`),
  },
  shellquote: {
    usage: 'shellquote TEXT',
    says: 'As one word for a shell; a list as one word an item.',
    example: ['shellquote "it is"', `"'it is'"`],
    ...one,
    run: (data = null) => shellquote(data),
  },
};
