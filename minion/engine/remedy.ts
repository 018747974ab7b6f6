import type { Declaration } from '../../language/declaration.ts';
import type { ConductorError, ErrorCode } from '../../shared/errors.ts';
import { typeOf } from './context.ts';
import type { RunContext } from './context.ts';
import { changingNeed, earlier, first, isPath } from './doubt.ts';
import type { StateType } from './state-type.ts';

/** What a command said, or code of the tree's author, may hang on any file of the host. */
const HANGS_ON_ANYTHING: ReadonlySet<ErrorCode> = new Set([
  'CHECK_FAILED',
  'COMMAND_FAILED',
  'COMMAND_TIMEOUT',
  'CUSTOM_TYPE_FAILED',
]);

/** A declaration with its type. */
interface Known {
  readonly one: Declaration;
  readonly type: StateType;
}

/**
 * What would change before a state that fails in a dry run, so that the real run may do better; `null` if nothing
 * that matters. An error that names what it lacks waits only for what may bring that about, one that names what
 * is in the way for what may clear it away; one whose `lacks` is empty for what is of its own kind; one whose `lacks` is
 * `null` for anything; one that says nothing of all this for what has to do with the same things.
 */
export function remedyFor(
  error: ConductorError,
  declaration: Declaration,
  context: RunContext,
): string | null {
  const { lacks, inTheWay } = error.details;
  const own = { one: declaration, type: typeOf(context, declaration) };
  if (Array.isArray(inTheWay)) {
    const places = inTheWay.map(String);
    return among((other) => touches(other, places), doesAnything, context);
  }
  if (!Array.isArray(lacks)) return related(error, own, context);
  if (lacks.length === 0) return among((other) => isOfKind(other, own), doesAnything, context);
  const missing = lacks.map(String);
  return among((other) => brings(other, missing), runsOthers, context);
}

type Choice = (known: Known) => boolean;

/** Those that are sure to help rather than those that may. */
function among(isSure: Choice, isPossible: Choice, context: RunContext): string | null {
  const known = knownBefore(context);
  return (
    first(declarationsOf(known.filter(isSure)), context) ??
    first(declarationsOf(known.filter(isPossible)), context, ', which may bring it about,')
  );
}

/** States run in the order in which they are written, so any earlier one may be what it waits for. */
function related(
  { code, details: { lacks, path } }: ConductorError,
  own: Known,
  context: RunContext,
): string | null {
  const isWide = lacks === null || HANGS_ON_ANYTHING.has(code) || doesAnything(own);
  const places = typeof path === 'string' ? [`path:${path}`] : [];
  const possible = knownBefore(context).filter(
    (other) => isWide || runsOthers(other) || isKin(other, own, places),
  );
  return (
    changingNeed(own.one, context) ??
    first(declarationsOf(possible).toReversed(), context, ', which comes before it,')
  );
}

function knownBefore(context: RunContext): readonly Known[] {
  return earlier(context).map((one) => ({ one, type: typeOf(context, one) }));
}

function declarationsOf(known: readonly Known[]): readonly Declaration[] {
  return known.map(({ one }) => one);
}

function runsOthers(known: Known): boolean {
  return known.type.reach === 'programs' || doesAnything(known);
}

/** Commands of the tree's author, and types that the tree brings along. */
function doesAnything({ type: { reach, oneShot } }: Known): boolean {
  return reach === undefined ? oneShot === true : reach === 'anything';
}

/** All that a state brings about, takes away or decides. */
function subjectsOf({ one: { args }, type }: Known): readonly string[] {
  return [
    ...(type.provides?.(args) ?? []),
    ...(type.takes?.(args) ?? []),
    ...Object.keys(type.settles?.(args) ?? {}),
  ];
}

function brings({ one: { args }, type }: Known, resources: readonly string[]): boolean {
  return type.provides?.(args).some((made) => resources.some((one) => covers(made, one))) === true;
}

function touches(known: Known, resources: readonly string[]): boolean {
  return subjectsOf(known).some((touched) => resources.some((one) => covers(touched, one)));
}

/** Of the same module; where both are about files and nothing else, about the same ones. */
function isOfKind(other: Known, own: Known): boolean {
  if (kindOf(other.type.name) !== kindOf(own.type.name)) return false;
  return !(isAboutPaths(other) && isAboutPaths(own)) || isKin(other, own, []);
}

/** `postgres` of `postgres_user.absent`. */
function kindOf(type: string): string {
  return type.replace(/[._].*$/u, '');
}

function isAboutPaths(known: Known): boolean {
  const subjects = subjectsOf(known);
  return subjects.length > 0 && subjects.every(isPath);
}

/** Whether two states have to do with the same things: one is about what the other is about or needs. */
function isKin(other: Known, own: Known, places: readonly string[]): boolean {
  const subjects = [...subjectsOf(own), ...places];
  const needs = own.type.needs?.(own.one.args) ?? [];
  if (kindOf(other.type.name) === kindOf(own.type.name) && !isAboutPaths(other)) return true;
  return subjectsOf(other).some(
    (touched) =>
      subjects.some(
        (mine) => covers(touched, mine) || areSiblings(touched, mine) || areSiblings(mine, touched),
      ) || needs.some((need) => touched === need || isBelow(need, touched)),
  );
}

/** Who makes a path may make what is below it and, on the way, the directories above. */
function covers(touched: string, resource: string): boolean {
  return touched === resource || isBelow(resource, touched) || isBelow(touched, resource);
}

function isBelow(resource: string, above: string): boolean {
  return isPath(above) && resource.startsWith(`${above}/`);
}

/** In one directory that is no usual one such as `/etc`. */
function areSiblings(one: string, other: string): boolean {
  const [above] = /^path:\/[^/]+\/.+(?=\/)/u.exec(one) ?? [];
  return above !== undefined && other.startsWith(`${above}/`);
}
