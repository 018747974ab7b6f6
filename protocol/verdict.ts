import { concat, readerOf, u32, u8 } from './bytes.ts';
import { ConductorError } from '../shared/errors.ts';
import { RECORD } from './records.ts';

/** What a master makes of a minion whose key is proven. */
export interface Verdict {
  readonly verdict: 'accepted' | 'pending' | 'denied' | 'rejected';
  /** When to come back (not for `accepted`). On the wire all refusals but pending look alike. */
  readonly retrySeconds?: number;
}

/** What a minion is told. */
export interface ToldVerdict {
  readonly verdict: 'accepted' | 'pending' | 'refused';
  readonly retrySeconds: number;
}

const PENDING_RETRY_SECONDS = 60;
export const REFUSED_RETRY_SECONDS = 3_600;

const TOLD = ['accepted', 'pending', 'refused'] as const;

/** The plaintext of the master's first record. */
export function encodeVerdict({
  verdict,
  retrySeconds = PENDING_RETRY_SECONDS,
}: Verdict): Uint8Array {
  if (verdict === 'accepted') return told(0, 0);
  return verdict === 'pending' ? told(1, retrySeconds) : told(2, REFUSED_RETRY_SECONDS);
}

function told(index: number, retrySeconds: number): Uint8Array {
  return concat(u8(RECORD.verdict), u8(index), u32(retrySeconds));
}

export function decodeVerdict(plaintext: Uint8Array): ToldVerdict {
  const reader = readerOf(plaintext);
  const type = reader.u8();
  const verdict = TOLD[reader.u8()];
  const retrySeconds = reader.u32();
  reader.end();
  if (type !== RECORD.verdict || verdict === undefined)
    throw new ConductorError('MESSAGE_INVALID', 'Cannot read a verdict');
  return { verdict, retrySeconds };
}
