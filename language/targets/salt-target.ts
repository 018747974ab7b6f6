import type { Target } from '../target.ts';
import { showTarget } from './target-text.ts';

/** What a target of Salt's is here, or why it cannot be. */
export type Translation = { readonly text: string } | { readonly why: string };

type Word = Target | { readonly why: string };

/** What `- match: WORD` in a top file makes of its whole key; `null` for one as it is written. */
export const SALT_MATCHERS: ReadonlyMap<string, string | null> = new Map([
  ['glob', null],
  ['compound', null],
  ['nodegroup', 'N'],
  ['list', 'L'],
  ['pcre', 'E'],
  ['grain', 'G'],
  ['grain_pcre', 'P'],
  ['pillar', 'I'],
  ['pillar_pcre', 'J'],
  ['ipcidr', 'S'],
]);

const PREFIXED = /^([A-Z])@(.+)$/su;

/** `G@os:Debian and ( web* or L@db1,db2 )`: what has a letter is translated, the rest stays. */
export function fromCompound(text: string): Translation {
  const words: string[] = [];
  for (const word of text.split(/\s+/u)) {
    const found = fromWord(word);
    if (typeof found !== 'string') return found;
    words.push(found);
  }
  return { text: words.join(' ') };
}

function fromWord(word: string): string | { readonly why: string } {
  const { open, body, close } = parentheses(word);
  const [, letter, value] = PREFIXED.exec(body) ?? [];
  if (letter === undefined || value === undefined) return word;
  const found = fromLetter(letter, value);
  return 'why' in found ? found : `${open}(${showTarget(found)})${close}`;
}

/** Those around a word; a pattern may have parentheses of its own. */
function parentheses(word: string): {
  readonly open: string;
  readonly body: string;
  readonly close: string;
} {
  const open = /^\(*/u.exec(word)?.[0] ?? '';
  let end = word.length;
  while (word.endsWith(')', end) && isSurplus(word.slice(open.length, end))) end -= 1;
  return { open, body: word.slice(open.length, end), close: word.slice(end) };
}

function isSurplus(text: string): boolean {
  return text.split(')').length > text.split('(').length;
}

/** One matcher of Salt's, by its letter. */
export function fromMatcher(letter: string, value: string): Translation {
  const found = fromLetter(letter, value);
  return 'why' in found ? found : { text: showTarget(found) };
}

const ANYTHING = String.raw`[\s\S]*`;

function fromLetter(letter: string, value: string): Word {
  switch (letter) {
    case 'L':
      return anyOf(value.split(',').map((name) => named(name.trim())));
    case 'N':
      return named(value);
    case 'E':
      // A pattern of Salt's need not reach to the end of the id.
      return { kind: 'regex', source: `(?:${value})${ANYTHING}` };
    case 'S':
      return { kind: 'net', cidr: value.includes('/') ? value : hostNetwork(value) };
    case 'G':
      return fact(value, (glob) => [glob]);
    case 'P':
      return fact(value, globsOf);
    case 'I':
      return pillar(value, (glob) => [glob]);
    case 'J':
      return pillar(value, globsOf);
    default:
      return {
        why: `"${letter}@" has no counterpart: write ids, groups, facts.KEY:GLOB or net:CIDR`,
      };
  }
}

function anyOf(of: readonly Target[]): Target {
  const [only, second] = of;
  return only !== undefined && second === undefined ? only : { kind: 'list', of };
}

function named(name: string): Target {
  return { kind: 'name', name };
}

function hostNetwork(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** Grains that say the same as a fact, by the name of the fact. */
const GRAINS: ReadonlyMap<string, string> = new Map([
  ['os', 'os'],
  ['os_family', 'os_family'],
  ['oscodename', 'codename'],
  ['osmajorrelease', 'release'],
  ['osarch', 'architecture'],
  ['host', 'hostname'],
  ['localhost', 'hostname'],
  ['fqdn', 'fqdn'],
  ['num_cpus', 'cpus'],
  ['init', 'init'],
]);

type Globs = (pattern: string) => readonly string[] | null;

function fact(value: string, globs: Globs): Word {
  const { key, pattern } = parted(value);
  if (key === 'id') return idOf(pattern, globs);
  const name = GRAINS.get(key);
  const why = `the grain "${key}" is no fact here: make a group of these minions (\`--group\`), or write facts.KEY:GLOB`;
  return name === undefined ? { why } : keyed('facts', { key: name, pattern, globs });
}

function idOf(pattern: string, globs: Globs): Word {
  const found = globs(pattern);
  if (found === null) return { why: noGlob(pattern) };
  return anyOf(found.map((glob) => ({ kind: 'glob', pattern: anyCase(glob) })));
}

function pillar(value: string, globs: Globs): Word {
  const { key, pattern } = parted(value);
  return keyed('pillar', { key: key.replaceAll(':', '.'), pattern, globs });
}

/** `a:b:value` is the value of `b` below `a`. */
function parted(value: string): { readonly key: string; readonly pattern: string } {
  const at = value.includes('(')
    ? value.lastIndexOf(':', value.indexOf('('))
    : value.lastIndexOf(':');
  return { key: value.slice(0, Math.max(at, 0)), pattern: value.slice(at + 1) };
}

interface Keyed {
  readonly key: string;
  readonly pattern: string;
  readonly globs: Globs;
}

function keyed(kind: 'facts' | 'pillar', { key, pattern, globs }: Keyed): Word {
  const found = globs(pattern);
  if (key === '' || pattern === '') return { why: 'expected a key and a value, as in G@os:Debian' };
  if (found === null) return { why: noGlob(pattern) };
  return anyOf(found.map((glob) => ({ kind, key, glob: anyCase(glob) })));
}

function noGlob(pattern: string): string {
  return `the pattern "${pattern}" is no list of plain words: write globs, as in "facts.os:Debian or facts.os:Ubuntu"`;
}

const GROUPED = /^\^?\((?:\?:)?(?<words>[^()]*)\)(?<end>\$?)$/u;
const PLAIN = /^(?:[\w @/-]|\\[.\-/]|\.\*|\.)+$/u;

/** `(Debian|Ubuntu)$` as globs: such a pattern begins where the value does, and ends where `$` says so. */
function globsOf(pattern: string): readonly string[] | null {
  const { words, end = '' } = GROUPED.exec(pattern)?.groups ?? {};
  const choices = (words ?? pattern).split('|').map((choice) => `${choice}${end}`);
  const globs = choices.flatMap((choice) => globOf(choice) ?? []);
  return globs.length === choices.length ? globs : null;
}

function globOf(choice: string): string | null {
  const source = choice.replace(/^\^/u, '').replace(/\$$/u, '');
  if (!PLAIN.test(source)) return null;
  const glob = source.replaceAll(/\.\*|\\(.)|\./gu, (found, letter: string | undefined) => {
    return letter ?? (found === '.' ? '?' : '*');
  });
  return choice.endsWith('$') ? glob : `${glob}*`;
}

/** Salt compares values of grains and pillars without regard to upper and lower case. */
function anyCase(glob: string): string {
  return glob.replaceAll(/\[(!?)([^\]]*)\]|[a-z]/giu, (found, not?: string, letters?: string) => {
    if (letters === undefined) return `[${found.toLowerCase()}${found.toUpperCase()}]`;
    return `[${not ?? ''}${letters.toLowerCase()}${letters.toUpperCase()}]`;
  });
}
