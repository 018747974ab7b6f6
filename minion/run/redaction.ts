import { createHmac } from 'node:crypto';
import { redactor } from '../../shared/secret.ts';
import type { Redaction } from '../engine/redaction.ts';

/**
 * Shows equal secrets by equal marks, with a key that only this minion and its master have, so that
 * nobody else can try guesses on a mark.
 */
export function redactionFor(secrets: Iterable<string>, key: string): Redaction {
  const fingerprint = (text: string): string =>
    createHmac('sha256', Buffer.from(key, 'hex')).update(text).digest('hex').slice(0, 4);
  return { redact: redactor(secrets, fingerprint), fingerprint };
}
