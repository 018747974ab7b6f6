import type { Target } from '../target.ts';

/** The target as text; reading it again gives the same target. */
export function showTarget(target: Target): string {
  if ('of' in target) return showCompound(target);
  if (target.kind === 'name') return target.name;
  // At the beginning of a word, a bracket would open a list.
  if (target.kind === 'glob') return target.pattern.replace(/^\[.*$/su, quote);
  if (target.kind === 'regex') return quote(`re:${target.source}`);
  if (target.kind === 'net') return quote(`net:${target.cidr}`);
  return quote(`${target.kind}.${target.key}:${target.glob}`);
}

function showCompound(target: Extract<Target, { of: unknown }>): string {
  if (target.kind === 'not') return `not ${inner(target.of)}`;
  if (target.kind === 'list') return `[${target.of.map(showTarget).join(', ')}]`;
  return target.of.map(inner).join(` ${target.kind} `);
}

function inner(target: Target): string {
  const isLoose = target.kind === 'and' || target.kind === 'or';
  return isLoose ? `(${showTarget(target)})` : showTarget(target);
}

function quote(word: string): string {
  return /[\s"'()[\],]/u.test(word) ? `"${word.replaceAll(/["\\]/gu, String.raw`\$&`)}"` : word;
}
