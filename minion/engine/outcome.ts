import type { Declaration } from '../../language/declaration.ts';
import { showPlace } from '../../language/place.ts';
import type { Before, Origin, Outcome } from '../../protocol/report.ts';
import type { Attributes, Change, Value } from '../../shared/change.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import { endOf } from '../../shared/excerpt.ts';
import { digestMark, sizeMark } from '../../shared/marks.ts';
import type { Convergence } from './converge.ts';
import { presentable } from './redaction.ts';
import type { Redaction, SecretNames } from './redaction.ts';
import type { StateType } from './state-type.ts';
import { textDiff } from './text-diff.ts';

/** What came of a declaration's turn, before it is made presentable. */
export type Result =
  | Convergence
  | Failed
  | Skipped
  | { readonly status: 'unknown'; readonly because: string };

export interface Failed {
  readonly status: 'failed';
  readonly error: unknown;
  /** What it was that somebody who was asked did not accept. */
  readonly change?: Change;
}

export interface Skipped {
  readonly status: 'skipped';
  readonly because: string;
  readonly isBroken: boolean;
  /** Its own guards say that there is nothing to do. */
  readonly isGuarded?: true;
  /** The run had ended before its turn. */
  readonly isOver?: true;
}

export interface Timing {
  readonly startedAt: Date;
  readonly milliseconds: number;
  readonly attempts: number;
}

/** Why something changes, and what stood there before. */
export interface Cause {
  readonly origin: Origin;
  readonly before: Before | null;
}

export interface Presentation {
  /** Why it changed, or would; `null` of what did not. */
  readonly cause: Cause | null;
  readonly timing: Timing;
  readonly redaction: Redaction;
  readonly secretNames: SecretNames;
  /** What stood there may hold a secret that nobody can find by its value any more. */
  readonly hidesBefore: boolean;
}

/** Makes of a result what may be reported: redacted, bounded, with text differences as a diff. */
export function outcomeOf(
  declaration: Declaration,
  type: StateType,
  result: Result,
  { cause, timing, ...presentation }: Presentation,
): Outcome {
  const { redact } = presentation.redaction;
  const { key, id, name, place } = declaration;
  return {
    key: redact(key),
    id: redact(id),
    name: redact(name),
    type: declaration.type,
    place: showPlace(place),
    status: result.status,
    ...told(result, redact),
    ...('change' in result && result.change !== null
      ? changeOf(result.change, type, redact(name), presentation)
      : {}),
    ...(cause !== null && 'change' in result && result.status !== 'failed'
      ? causeShown(cause, redact)
      : {}),
    startedAt: timing.startedAt.toISOString(),
    milliseconds: Math.round(timing.milliseconds * 10) / 10,
    ...(timing.attempts > 1 ? { attempts: timing.attempts } : {}),
  };
}

function causeShown(
  { origin, before }: Cause,
  redact: (text: string) => string,
): Pick<Outcome, 'origin' | 'before'> {
  return {
    origin: redactedOrigin(origin, redact),
    ...(before === null ? {} : { before }),
  };
}

export function redactedOrigin(origin: Origin, redact: (text: string) => string): Origin {
  return 'because' in origin ? { ...origin, because: redact(origin.because) } : origin;
}

function told(
  result: Result,
  redact: (text: string) => string,
): Pick<Outcome, 'because' | 'blocked' | 'error' | 'reaction' | 'output'> {
  switch (result.status) {
    case 'unchanged':
      return result.says === undefined ? {} : { reaction: redact(result.says) };
    case 'changed':
    case 'would-change':
      return {
        ...(result.reaction === null ? {} : { reaction: redact(result.reaction) }),
        ...printedBy(result, redact),
      };
    case 'failed':
      return { error: errorOf(result.error, redact) };
    case 'skipped':
      return { because: redact(result.because), ...(isBlocked(result) ? { blocked: true } : {}) };
    case 'unknown':
    default:
      return { because: redact(result.because) };
  }
}

function isBlocked({ isBroken, isOver }: Skipped): boolean {
  return isBroken && isOver !== true;
}

function printedBy(
  { printed = '' }: { readonly printed?: string },
  redact: (text: string) => string,
): Pick<Outcome, 'output'> {
  return printed.trim() === '' ? {} : { output: endOf(redact(printed)) };
}

/** An error as a report shows it. What is not a `ConductorError` is our own mistake, and says so. */
export function errorOf(
  error: unknown,
  redact: (text: string) => string,
): { code: string; message: string; output?: string } {
  if (!(error instanceof ConductorError)) {
    return { code: 'BUG', message: redact(`Conductor has made a mistake: ${messageOf(error)}`) };
  }
  const { output } = error.details;
  return {
    code: error.code,
    message: redact(error.message),
    ...(typeof output === 'string' && output !== '' ? { output: endOf(redact(output)) } : {}),
  };
}

function changeOf(
  change: Change,
  type: StateType,
  name: string,
  { redaction, secretNames, hidesBefore }: Omit<Presentation, 'timing' | 'cause'>,
): Pick<Outcome, 'change' | 'diff'> {
  const hidden = secretNames(type);
  const { textAttribute } = type;
  const isText = textAttribute !== undefined && !hidden.has(textAttribute);
  const texts = isText ? textsOf(change, textAttribute) : null;
  const blanking = { ...redaction, secretNames: hidden, hidesBefore };
  const marked = withDigestsMarked(change, type, redaction);
  if (!isText || texts === null) return { change: presentable(marked, blanking) };

  const [from, to] = [redaction.redact(texts.from), redaction.redact(texts.to)];
  const summed = summing(marked, textAttribute, redaction);
  return {
    change: presentable(summed, blanking),
    diff: textDiff(name, from, to, { hidesBefore }),
  };
}

/** `null` if the text does not differ, or is none. */
function textsOf(change: Change, name: string): { from: string; to: string } | null {
  const from = change.action === 'create' ? '' : (change.from[name] ?? '');
  const to = change.action === 'remove' ? '' : change.to[name];
  if (typeof from !== 'string' || typeof to !== 'string') return null;
  return from === to ? null : { from, to };
}

/** The text itself stands in the diff; the change has its size and a fingerprint. */
function summing(change: Change, name: string, { fingerprint }: Redaction): Change {
  return replacing(change, (value, at) =>
    at === name && (typeof value === 'string' || value === null)
      ? sizeMark(Buffer.byteLength(value ?? ''), fingerprint(value ?? ''))
      : value,
  );
}

/** With the marks of digests, as anybody could try guesses on what a digest was made of. */
function withDigestsMarked(
  change: Change,
  { digests = [] }: StateType,
  { fingerprint }: Redaction,
): Change {
  return replacing(change, (value, at) =>
    digests.includes(at) && typeof value === 'string' ? digestMark(fingerprint(value)) : value,
  );
}

function replacing(change: Change, instead: (value: Value, name: string) => Value): Change {
  const replaced = (attributes: Partial<Attributes>): Attributes =>
    Object.fromEntries(
      Object.entries(attributes).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, instead(value, name)]],
      ),
    );
  switch (change.action) {
    case 'create':
      return { action: 'create', to: replaced(change.to) };
    case 'remove':
      return { action: 'remove', from: replaced(change.from) };
    case 'update':
    default:
      return { action: 'update', from: replaced(change.from), to: replaced(change.to) };
  }
}
