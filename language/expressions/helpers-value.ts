import { dump } from 'js-yaml';
import { isList, isMapping, type Data } from '../values/data.ts';
import { didYouMean } from '../../shared/suggest.ts';
import { HelperMistake, mapping, text, whole, type Helper } from './helper.ts';

const MOST_ITEMS = 10_000;
/** So many keys of a mapping fit a message. */
const MOST_KEYS = 20;

const one = { least: 1, most: 1 };

function range(from: Data, to?: Data): Data {
  const [start, end] = to === undefined ? [0, whole(from)] : [whole(from), whole(to)];
  const count = Math.max(end - start, 0);
  if (count > MOST_ITEMS) throw new HelperMistake(`more than ${MOST_ITEMS} numbers`);
  return Array.from({ length: count }, (_, index) => start + index);
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
  if (result === undefined)
    throw new HelperMistake(`there is no "${text(path)}" in it${insteadOf(text(path), data)}`);
  return result;
}

/** What a mapping has in place of the key that was looked for. */
function insteadOf(key: string, data: Data): string {
  if (!isMapping(data) || key.includes('.')) return '';
  const keys = Object.keys(data);
  const near = didYouMean(key, keys);
  if (near !== '' || keys.length === 0 || keys.length > MOST_KEYS) return near;
  return `, only ${keys.join(', ')}`;
}

/** Helpers that look into values, and print them. */
export const VALUE_HELPERS: Readonly<Record<string, Helper>> = {
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
};
