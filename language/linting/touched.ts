import { hasExpression, isDynamic } from '../expression.ts';
import type { Problems } from '../problem.ts';
import { CONDITIONS } from '../states/declare.ts';
import type { Draft } from '../states/draft.ts';
import { readReferences } from '../states/references.ts';
import { globMatcher } from '../values/glob.ts';
import type { WrittenHere } from './written-states.ts';

/** What other files may say of a state: to have it left alone if that may change it. */
export interface Touched {
  readonly isEverything: boolean;
  has(draft: Draft): boolean;
}

/** States that are extended, or given a condition or arguments by others. */
export function touchedElsewhere(
  all: readonly WrittenHere[],
  extensions: readonly WrittenHere[],
  problems: Problems,
): Touched {
  const patterns = extensions.map(({ entry }) => entry.key);
  for (const { args } of [...all, ...extensions]) {
    for (const [word, { value }] of args) {
      if (!GIVING.has(word)) continue;
      if (isDynamic(value)) patterns.push('{{ computed }}');
      else patterns.push(...readReferences(value, word, { problems, chain: [] }).map(patternOf));
    }
  }
  const tests = patterns.filter((pattern) => !hasExpression(pattern)).map(globMatcher);
  return {
    isEverything: patterns.some(hasExpression),
    has: ({ id, name, stateFile }) =>
      tests.some((test) => test(id) || test(name) || test(stateFile)),
  };
}

const GIVING: ReadonlySet<string> = new Set([...CONDITIONS, 'use'].map((word) => `${word}_in`));

function patternOf({ pattern }: { readonly pattern: string }): string {
  return pattern;
}
