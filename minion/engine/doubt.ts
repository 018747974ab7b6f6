import type { Declaration } from '../../language/declaration.ts';
import { typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import type { Result } from './outcome.ts';

/** What a dry run found, unless states that are to change before it could make that another. */
export function doubted(result: Result, declaration: Declaration, context: RunContext): Result {
  const { unless, onlyif } = declaration.guards;
  if (result.status === 'would-change' && unless.length + onlyif.length > 0) {
    const awaited = changingNeed(declaration, context);
    const word = unless.length > 0 ? 'unless' : 'onlyif';
    if (awaited !== null) {
      return unknown(
        `as things are it would change, but ${awaited} would change first: its ${word} may then say otherwise`,
      );
    }
  }
  if (result.status === 'unchanged' && typeOf(context, declaration).isDerived === true) {
    const awaited = changingAmong(declaration, context);
    if (awaited !== null) return unknown(`${awaited}, which it follows from, would change first`);
  }
  return result;
}

function unknown(because: string): Result {
  return { status: 'unknown', because };
}

/** One of the declarations that it needs, however far away, which would change or is itself unknown. */
export function changingNeed(declaration: Declaration, context: RunContext): string | null {
  const seen = new Set([declaration]);
  for (const one of seen) {
    const found = changingAmong(one, context);
    if (found !== null) return found;
    for (const key of one.requisites.flatMap(({ targets }) => targets)) {
      const target = context.byKey.get(key);
      if (target !== undefined) seen.add(target);
    }
  }
  return null;
}

/** The same of those that it refers to itself. */
function changingAmong({ requisites }: Declaration, { standings }: RunContext): string | null {
  const found = requisites
    .flatMap(({ targets }) => targets)
    .map((key) => standings.get(key))
    .find((standing) => standing?.hasChanged === true || standing?.isUnknown === true);
  return found === undefined ? null : `"${found.id}"`;
}

/** States run in the order in which they are written, so any earlier one may be what it waits for. */
export function earlierChange(declaration: Declaration, context: RunContext): string | null {
  const needed = changingNeed(declaration, context);
  if (needed !== null) return needed;
  const changing = [...context.standings.values()].filter(
    ({ hasChanged, isUnknown }) => hasChanged || isUnknown,
  );
  const last = changing.at(-1);
  return last === undefined ? null : `"${last.id}", which comes before it,`;
}
