import type { Declaration } from '../../../language/declaration.ts';
import { canonicalJson } from '../../../shared/canonical-json.ts';
import { secretMark } from '../../../shared/marks.ts';
import { typeOf } from '../context.ts';
import type { RunContext } from '../context.ts';
import type { Redaction } from '../redaction.ts';
import type { Seen } from './wish.ts';

const MARK = /secret\([^)]*\)/gu;

/** The marks, as reports show them, of the secrets that a declaration asks for. */
function secretsHeld(
  { args }: Declaration,
  seen: Seen,
  { redact }: Pick<Redaction, 'redact'>,
): readonly string[] {
  const asked = canonicalJson([args, seen]);
  const shown = redact(asked);
  if (shown === asked) return [];
  return [...new Set(shown.match(MARK))].toSorted();
}

/** By what it brings about, for another declaration may come to manage the same; by itself if it names nothing. */
function thingsOf(declaration: Declaration, context: RunContext): readonly string[] {
  const provided = typeOf(context, declaration).provides?.(declaration.args) ?? [];
  return provided.length === 0 ? [declaration.key] : provided;
}

/** Before anything is done: what is about to be written holds these too, however that ends. */
export function rememberSecretsToCome(
  declaration: Declaration,
  seen: Seen,
  context: RunContext,
): void {
  const { wanted } = context.memory;
  const marks = secretsHeld(declaration, seen, context.redaction);
  for (const thing of thingsOf(declaration, context))
    wanted.hold(thing, [...wanted.held(thing), ...marks]);
}

/** It is as it should be: what is only edited may still hold what it held before. */
export function rememberSecrets(declaration: Declaration, seen: Seen, context: RunContext): void {
  if (typeOf(context, declaration).isRelative === true)
    return rememberSecretsToCome(declaration, seen, context);
  const marks = secretsHeld(declaration, seen, context.redaction);
  for (const thing of thingsOf(declaration, context)) context.memory.wanted.hold(thing, marks);
}

/**
 * Whether what stands there may still hold a secret that is none any more: taken from the pillar, or written there in
 * plain text since. Nobody can find such a one by its value. Where memory is lost, nobody knows.
 */
export function mayHoldFormerSecret(declaration: Declaration, context: RunContext): boolean {
  const { catalog, memory, redaction } = context;
  if (memory.wanted.recall(declaration.key).status === 'lost') return true;
  const marks = thingsOf(declaration, context).flatMap((thing) => memory.wanted.held(thing));
  if (marks.length === 0) return false;
  const known = new Set(catalog.secrets.map((secret) => secretMark(redaction.fingerprint(secret))));
  return marks.some((mark) => !known.has(mark));
}
