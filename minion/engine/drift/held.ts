import type { Declaration } from '../../../language/declaration.ts';
import { canonicalJson } from '../../../shared/canonical-json.ts';
import type { RunContext } from '../context.ts';
import type { Redaction } from '../redaction.ts';
import type { Seen } from './wish.ts';

const MARK = /secret\([^)]*\)/gu;

/** The marks, as reports show them, of the secrets that a declaration asks for. */
export function secretsHeld(
  { args }: Declaration,
  seen: Seen,
  { redact }: Pick<Redaction, 'redact'>,
): string[] {
  const asked = canonicalJson([args, seen]);
  const shown = redact(asked);
  if (shown === asked) return [];
  return [...new Set(shown.match(MARK))].toSorted();
}

/**
 * Whether what it has brought about may still hold a secret that is none any more: taken from the pillar, or written
 * there in plain text since. Nobody can find such a one by its value.
 */
export function mayHoldFormerSecret({ key }: Declaration, context: RunContext): boolean {
  const { catalog, memory, redaction } = context;
  const remembered = memory.wanted.recall(key);
  const { held = [] } = remembered.status === 'known' ? remembered.memo : {};
  if (held.length === 0) return false;
  const known = new Set(
    catalog.secrets.map((secret) => `secret(${redaction.fingerprint(secret)})`),
  );
  return held.some((mark) => !known.has(mark));
}
