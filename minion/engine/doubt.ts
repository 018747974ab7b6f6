import type { Declaration } from '../../language/declaration.ts';
import { typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import type { Result } from './outcome.ts';

/** What a dry run found, unless states that are to change before it could make that another. */
export function doubted(result: Result, declaration: Declaration, context: RunContext): Result {
  if (result.status !== 'would-change' && result.status !== 'unchanged') return result;
  const because =
    (result.status === 'would-change'
      ? guardInDoubt(declaration, context)
      : groundInDoubt(declaration, context)) ?? disturbance(declaration, context);
  return because === null ? result : unknown(because);
}

function guardInDoubt(declaration: Declaration, context: RunContext): string | null {
  const { unless, onlyif, creates } = declaration.guards;
  const lines = [...unless, ...onlyif];
  const needed = lines.length > 0 ? changingNeed(declaration, context) : null;
  const awaited = needed ?? changingNamed([...lines, ...creates], context);
  if (awaited === null) return null;
  const commands = unless.length > 0 ? 'unless' : 'onlyif';
  const word = lines.length > 0 ? commands : 'creates';
  return `as things are it would change, but ${awaited}: its ${word} may then say otherwise`;
}

/** Which of the earlier ones would change first, or may, of which a guard names a path. */
function changingNamed(lines: readonly string[], context: RunContext): string | null {
  if (lines.length === 0) return null;
  const words = new Set(lines.flatMap((line) => line.split(/[^\w%+,./:@~-]+/u)));
  const named = earlier(context).filter((one) =>
    typeOf(context, one)
      .provides?.(one.args)
      .some((made) => isPath(made) && words.has(made.slice('path:'.length))),
  );
  return first(named, context);
}

function groundInDoubt(declaration: Declaration, context: RunContext): string | null {
  if (typeOf(context, declaration).isDerived !== true) return null;
  const awaited = changingAmong(declaration, context);
  return awaited === null ? null : `${awaited}, and it follows from that`;
}

/** An earlier change after which the host is not what has been looked at; `null` if there is none. */
function disturbance(declaration: Declaration, context: RunContext): string | null {
  const type = typeOf(context, declaration);
  const own = type.provides?.(declaration.args) ?? [];
  const needed = [...own, ...(type.needs?.(declaration.args) ?? [])];
  const known = earlier(context).map((one) => ({ one, type: typeOf(context, one) }));
  const takers = known.filter((other) =>
    other.type.takes?.(other.one.args).some((taken) => needed.some((need) => holds(taken, need))),
  );
  const taken = first(declarationsOf(takers), context);
  if (taken !== null) return `${taken}, and takes away what this is about or needs`;
  if (type.textAttribute === undefined) return null;
  const writers = known.filter(
    (other) =>
      other.type.textAttribute !== undefined &&
      other.type.provides?.(other.one.args).some((one) => isPath(one) && own.includes(one)),
  );
  const written = first(declarationsOf(writers), context);
  return written === null ? null : `${written}, and this is about the same file`;
}

export function isPath(resource: string): boolean {
  return resource.startsWith('path:');
}

/** What goes with a thing: itself, and what is below a path. */
function holds(taken: string, need: string): boolean {
  return taken === need || (isPath(taken) && need.startsWith(`${taken}/`));
}

function unknown(because: string): Result {
  return { status: 'unknown', because };
}

/** Says which of the declarations that it needs, however far away, would change first, or may; `null` if none. */
export function changingNeed(declaration: Declaration, context: RunContext): string | null {
  const seen = new Set([declaration]);
  for (const one of seen) {
    for (const key of one.requisites.flatMap(({ targets }) => targets)) {
      const target = context.byKey.get(key);
      if (target !== undefined) seen.add(target);
    }
  }
  const [, ...needed] = seen;
  return first(needed, context);
}

/** The same of those that it refers to itself. */
function changingAmong({ requisites }: Declaration, context: RunContext): string | null {
  const keys = requisites.flatMap(({ targets }) => targets);
  return first(
    keys.flatMap((key) => context.byKey.get(key) ?? []),
    context,
  );
}

/** Those whose turn is over. */
export function earlier({ standings, byKey }: RunContext): readonly Declaration[] {
  return [...standings.keys()].flatMap((key) => byKey.get(key) ?? []);
}

/** Of several, one that is sure to change rather than one of which nobody knows. */
export function first(
  declarations: readonly Declaration[],
  { standings }: RunContext,
  note = '',
): string | null {
  const moving = declarations.map(({ key }) => standings.get(key));
  const sure = moving.find((standing) => standing?.hasChanged === true);
  if (sure !== undefined) return `"${sure.id}"${note} would change first`;
  const unsure = moving.find((standing) => standing?.isUnknown === true);
  return unsure === undefined ? null : `"${unsure.id}"${note} may change first`;
}

function declarationsOf(known: readonly { readonly one: Declaration }[]): readonly Declaration[] {
  return known.map(({ one }) => one);
}
