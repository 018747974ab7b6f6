import { ConductorError } from '../shared/errors.ts';
import { didYouMean } from '../shared/suggest.ts';
import { mayTakeLong, within } from '../shared/within.ts';
import { isInNetwork, parseNetwork } from './values/cidr.ts';
import { isList, isMapping, type Data, type DataMapping } from './values/data.ts';
import { globMatcher, isGlob } from './values/glob.ts';
import { targetTokens, type Token } from './targets/target-tokens.ts';

/** Which minions are meant. */
export type Target =
  /** A minion's id or a group. */
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'glob'; readonly pattern: string }
  | { readonly kind: 'regex'; readonly source: string }
  | { readonly kind: 'facts' | 'pillar'; readonly key: string; readonly glob: string }
  | { readonly kind: 'net'; readonly cidr: string }
  | { readonly kind: 'and' | 'or' | 'list'; readonly of: readonly Target[] }
  | { readonly kind: 'not'; readonly of: Target };

/** What is known of one minion; `pillar` is `undefined` where no pillar may be asked for. */
export interface Candidate {
  readonly id: string;
  readonly groups: readonly string[];
  readonly facts: DataMapping;
  readonly pillar?: DataMapping | undefined;
}

const DEEPEST = 100;

/** Throws TARGET_INVALID, with the column in `details`. */
export function parseTarget(text: string): Target {
  const parser: Parser = { text, tokens: targetTokens(text), index: 0, depth: 0 };
  const target = parseOr(parser);
  const left = parser.tokens[parser.index];
  if (left !== undefined) throw unexpected(parser, 'put "and" or "or" between two targets');
  return target;
}

interface Parser {
  readonly text: string;
  readonly tokens: readonly Token[];
  index: number;
  depth: number;
}

function parseOr(parser: Parser): Target {
  const of = [parseAnd(parser)];
  while (accept(parser, 'or')) of.push(parseAnd(parser));
  return combined('or', of);
}

function parseAnd(parser: Parser): Target {
  const of = [parseNot(parser)];
  while (accept(parser, 'and')) of.push(parseNot(parser));
  return combined('and', of);
}

function combined(kind: 'and' | 'or', of: readonly Target[]): Target {
  const [only, second] = of;
  return only !== undefined && second === undefined ? only : { kind, of };
}

function parseNot(parser: Parser): Target {
  parser.depth += 1;
  if (parser.depth > DEEPEST) throw invalid(parser.text, 'it is nested too deeply', 0);
  const target = accept(parser, 'not')
    ? { kind: 'not' as const, of: parseNot(parser) }
    : parsePrimary(parser);
  parser.depth -= 1;
  return target;
}

function parsePrimary(parser: Parser): Target {
  if (accept(parser, '(')) {
    const target = parseOr(parser);
    if (!accept(parser, ')')) throw unexpected(parser, 'a ")" is missing');
    return target;
  }
  if (accept(parser, '[')) return parseList(parser);
  const token = parser.tokens[parser.index];
  if (token?.kind !== 'word') throw unexpected(parser, 'a target is missing');
  parser.index += 1;
  return parseWord(parser.text, token);
}

function parseList(parser: Parser): Target {
  const of: Target[] = [];
  while (!accept(parser, ']')) {
    if (of.length > 0 && !accept(parser, ',')) throw unexpected(parser, 'a "]" is missing');
    of.push(parseOr(parser));
  }
  return { kind: 'list', of };
}

function accept(parser: Parser, kind: Token['kind']): boolean {
  const isNext = parser.tokens[parser.index]?.kind === kind;
  if (isNext) parser.index += 1;
  return isNext;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/u;
const KEYED = /^(facts|pillar)\.([^:]+):(.*)$/su;
const PREFIXED = /^([A-Za-z]+)[.:]/u;

function parseWord(text: string, { word, column }: Extract<Token, { kind: 'word' }>): Target {
  if (word.startsWith('re:')) return regexTarget(text, word.slice(3), column);
  if (word.startsWith('net:')) return networkTarget(text, word.slice(4), column);
  const keyed = keyedTarget(word);
  if (keyed !== null) return keyed;
  if (/[:@]/u.test(word)) throw invalid(text, prefixHelp(word), column);
  if (isGlob(word)) return { kind: 'glob', pattern: word };
  if (!NAME.test(word)) throw invalid(text, `"${word}" is no name`, column);
  return { kind: 'name', name: word };
}

function keyedTarget(word: string): Target | null {
  const [, kind, key = '', glob = ''] = KEYED.exec(word) ?? [];
  const isKeyed = kind === 'facts' || kind === 'pillar';
  return isKeyed && glob !== '' ? { kind, key, glob } : null;
}

function prefixHelp(word: string): string {
  const prefix = PREFIXED.exec(word)?.[1] ?? word;
  const isKeyed = prefix === 'facts' || prefix === 'pillar';
  const hint = isKeyed ? '' : didYouMean(prefix, ['facts', 'pillar', 're', 'net']);
  return `"${word}" is not understood${hint === '' ? ': write facts.KEY:GLOB, pillar.KEY:GLOB, re:PATTERN or net:CIDR' : hint}`;
}

function regexTarget(text: string, source: string, column: number): Target {
  try {
    void new RegExp(source, 'u');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalid(text, why, column);
  }
  return { kind: 'regex', source };
}

function networkTarget(text: string, cidr: string, column: number): Target {
  if (parseNetwork(cidr) !== null) return { kind: 'net', cidr };
  throw invalid(text, `"${cidr}" is no network, such as 10.0.0.0/8`, column);
}

function unexpected({ text, tokens, index }: Parser, why: string): ConductorError {
  return invalid(text, why, tokens[index]?.column ?? text.length + 1);
}

function invalid(text: string, why: string, column: number): ConductorError {
  return new ConductorError('TARGET_INVALID', `Cannot read target "${text}": ${why}`, {
    why,
    column,
  });
}

/** Whether a minion is meant. Throws TARGET_INVALID if that needs a pillar and there is none. */
export function matches(target: Target, minion: Candidate): boolean {
  if (target.kind === 'not') return !matches(target.of, minion);
  if (target.kind === 'and') return target.of.every((part) => matches(part, minion));
  if ('of' in target) return target.of.some((part) => matches(part, minion));
  return matchesSimple(target, minion);
}

type Simple = Exclude<Target, { of: unknown }>;

/** Whether a target that is made of no others means a minion. */
function matchesSimple(target: Simple, minion: Candidate): boolean {
  switch (target.kind) {
    case 'name':
      return target.name === minion.id || minion.groups.includes(target.name);
    case 'glob':
      return globMatcher(target.pattern)(minion.id);
    case 'regex':
      return fits(target.source, minion.id);
    case 'facts':
      return hasValue(minion.facts, target);
    case 'pillar':
      return hasValue(pillarOf(target, minion), target);
    case 'net':
      return addressesOf(minion.facts).some((address) => isIn(address, target.cidr));
    default:
      return target satisfies never;
  }
}

const LIMIT_MS = 1000;

/** The id is short, and the minion's to choose. */
function fits(source: string, id: string): boolean {
  const test = (): boolean => new RegExp(`^(?:${source})$`, 'u').test(id);
  if (!mayTakeLong(source)) return test();
  const done = within(LIMIT_MS, test);
  if (done !== null) return done.made;
  const why = `matching "${id}" takes longer than ${LIMIT_MS / 1000} s (nested repetitions such as (a+)+ do that)`;
  throw invalid(`re:${source}`, why, 1);
}

function pillarOf(target: { key: string; glob: string }, { pillar }: Candidate): DataMapping {
  if (pillar !== undefined) return pillar;
  throw invalid(`pillar.${target.key}:${target.glob}`, 'no pillar can be asked for here', 1);
}

/** A key may be a path; a list matches if any of its items does, a mapping if a key does. Secrets never match. */
function hasValue(data: DataMapping, { key, glob }: { key: string; glob: string }): boolean {
  const test = globMatcher(glob);
  let found: Data | undefined = Object.hasOwn(data, key) ? data[key] : data;
  for (const part of Object.hasOwn(data, key) ? [] : key.split('.')) {
    found = isMapping(found) && Object.hasOwn(found, part) ? found[part] : undefined;
  }
  return valuesOf(found).some((value) => {
    const isNumber = typeof value === 'number' || typeof value === 'boolean';
    return (typeof value === 'string' && test(value)) || (isNumber && test(String(value)));
  });
}

function valuesOf(found: Data | undefined): readonly (Data | undefined)[] {
  if (isMapping(found)) return Object.keys(found);
  return isList(found) ? found : [found];
}

function addressesOf({ addresses }: DataMapping): string[] {
  return addresses === undefined ? [] : textsIn(addresses);
}

function textsIn(data: Data): string[] {
  if (typeof data === 'string') return [data];
  if (isList(data)) return data.flatMap(textsIn);
  return isMapping(data) ? Object.values(data).flatMap(textsIn) : [];
}

function isIn(address: string, cidr: string): boolean {
  const network = parseNetwork(cidr);
  return network !== null && isInNetwork(address, network);
}
