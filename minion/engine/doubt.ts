import type { Declaration } from '../../language/declaration.ts';
import type { ConductorError } from '../../shared/errors.ts';
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

/**
 * What would change before a state that fails in a dry run, so that the real run may do better; `null` if nothing
 * that matters. An error that names what it lacks waits only for what may bring that about.
 */
export function remedyFor(
  { details: { lacks } }: ConductorError,
  declaration: Declaration,
  context: RunContext,
): string | null {
  return Array.isArray(lacks)
    ? bringing(lacks.map(String), context)
    : earlierChange(declaration, context);
}

/** States run in the order in which they are written, so any earlier one may be what it waits for. */
function earlierChange(declaration: Declaration, context: RunContext): string | null {
  const needed = changingNeed(declaration, context);
  if (needed !== null) return needed;
  const last = changing(context).at(-1);
  return last === undefined ? null : `"${last.id}", which comes before it,`;
}

function changing({ standings, byKey }: RunContext): readonly Declaration[] {
  return [...standings].flatMap(([key, { hasChanged, isUnknown }]) =>
    hasChanged || isUnknown ? (byKey.get(key) ?? []) : [],
  );
}

/** What provides one of these; else what runs programs of others, which may bring anything about. */
function bringing(lacks: readonly string[], context: RunContext): string | null {
  const earlier = changing(context).map((one) => ({ one, type: typeOf(context, one) }));
  const provider = earlier.find(({ one, type }) =>
    type.provides?.(one.args).some((provided) => lacks.some((lack) => covers(provided, lack))),
  );
  if (provider !== undefined) return `"${provider.one.id}"`;
  const open = earlier.find(({ type }) => type.isOpenEnded === true || type.oneShot === true);
  return open === undefined ? null : `"${open.one.id}", which may bring it about,`;
}

/** Who makes a path may make what is below it and, on the way, the directories above. */
function covers(provided: string, lack: string): boolean {
  if (provided === lack) return true;
  if (!provided.startsWith('path:')) return false;
  return lack.startsWith(`${provided}/`) || provided.startsWith(`${lack}/`);
}
