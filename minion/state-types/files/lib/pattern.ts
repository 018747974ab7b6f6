import { z } from 'zod';
import { messageOf } from '../../../../shared/errors.ts';

/**
 * Regular expressions as Salt's users write them, in Python's syntax, run by JavaScript's engine.
 * The two agree on nearly everything; what only Python writes another way is put into JavaScript's
 * words: `(?P<name>…)`, `(?P=name)`, `\A`, `\Z` and flags at the beginning such as `(?i)`. In
 * JavaScript `\w`, `\d` and `\b` know ASCII only.
 */
export function compilePattern(text: string, flags = ''): RegExp {
  const inline = /^\(\?(?<letters>[aiLmsux]+)\)/u.exec(text);
  const letters = inline?.groups?.['letters'] ?? '';
  if (letters.includes('x')) throw new SyntaxError('the flag (?x) is not known here');
  const source = text.slice(inline?.[0].length ?? 0).replaceAll(PYTHON, inJavaScript);
  const all = [...flags, ...letters].filter((flag) => 'imsg'.includes(flag));
  return new RegExp(source, [...new Set(all)].join(''));
}

const PYTHON = /\\[^]|\(\?P<|\(\?P=(?<name>\w+)\)/gu;

function inJavaScript(found: string, name: string | undefined): string {
  if (name !== undefined) return String.raw`\k<${name}>`;
  if (found === '(?P<') return '(?<';
  if (found === String.raw`\A`) return '(?<![^])';
  return found === String.raw`\Z` ? '(?![^])' : found;
}

/** A regular expression; one that is none is told in the engine's own words. */
export const pattern = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    try {
      compilePattern(text);
    } catch (error) {
      context.addIssue({
        code: 'custom',
        // Nothing else can be said of one that is none.
        continue: false,
        message: `is no regular expression: ${messageOf(error).replace(/^Invalid regular expression: /u, '')}`,
      });
    }
  });

const BITS = [
  [2, 'i'],
  [8, 'm'],
  [16, 's'],
] as const;
/** Locale, Unicode, debugging and ASCII change nothing that JavaScript could do another way. */
const HARMLESS = 4 + 32 + 128 + 256;
const VERBOSE = 64;
const NAMES: Readonly<Record<string, number>> = {
  I: 2,
  IGNORECASE: 2,
  L: 4,
  LOCALE: 4,
  M: 8,
  MULTILINE: 8,
  S: 16,
  DOTALL: 16,
  U: 32,
  UNICODE: 32,
  X: VERBOSE,
  VERBOSE,
  A: 256,
  ASCII: 256,
};

/** Salt's flags: a number, a name or a list of names; as JavaScript's letters. */
export const patternFlags = z
  .union([z.int().nonnegative(), z.string(), z.array(z.string())])
  .transform((given) => (typeof given === 'number' ? given : bitsOf([given].flat())))
  .refine((bits) => (bits & ~(2 + 8 + 16 + HARMLESS)) === 0, {
    error: 'expected IGNORECASE, MULTILINE or DOTALL, or several of them',
  })
  .transform((bits) => BITS.map(([bit, letter]) => ((bits & bit) === 0 ? '' : letter)).join(''));

function bitsOf(names: readonly string[]): number {
  const each = names.map((name) => NAMES[name.trim().toUpperCase()] ?? VERBOSE);
  return each.reduce((all, bits) => all | bits, 0);
}

/** What a match has caught: by number (0 is all of it) and by name. */
export interface Caught {
  readonly groups: readonly string[];
  readonly named: Readonly<Record<string, string>>;
}

const REFERENCES = /\\(?:g<(?<reference>\w+)>|(?<digits>\d{1,2})|(?<letter>[nrt\\]))/gu;

/** What a replacement refers to that the pattern has no group for, as Python would refuse it; `null` if nothing. */
export function missingGroup(template: string, source: string): string | null {
  // With an empty alternative it matches nothing, and tells of all of its groups.
  const match = compilePattern(`${source}|`).exec('');
  const numbers = [...(match ?? [])].map((_group, index) => String(index));
  const known = new Set([...numbers, ...Object.keys(match?.groups ?? {})]);
  const references = [...template.matchAll(REFERENCES)].flatMap(({ groups = {} }) => {
    const { reference, digits } = groups;
    return reference ?? (digits === undefined ? [] : String(Number(digits)));
  });
  return references.find((reference) => !known.has(reference)) ?? null;
}

/** What a replacement in Python's form stands for: `\1`, `\g<1>`, `\g<name>`, `\n`, `\t`, `\\`. */
export function expanded(template: string, { groups, named }: Caught): string {
  return template.replaceAll(
    REFERENCES,
    (_all, reference?: string, digits?: string, letter?: string) => {
      const group = reference ?? digits;
      if (group === undefined) return LETTERS[letter ?? ''] ?? '';
      return (/^\d+$/u.test(group) ? groups[Number(group)] : named[group]) ?? '';
    },
  );
}

const LETTERS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\' };
