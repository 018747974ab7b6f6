import type { ChannelEnd } from '../../protocol/channel.ts';

/** How the last attempt to be connected ended. */
export type AttemptEnd =
  | { readonly reason: 'unreachable' }
  | { readonly reason: 'pending' | 'turned-away'; readonly retrySeconds: number }
  | (ChannelEnd & { readonly livedMs: number });

/** A number from 0 up to 1. */
export type Random = () => number;

/** The last of a fleet is back this long after there is room for it. */
const CAP_MS = 30_000;
const RESTART_SPREAD_MS = 30_000;
/** Another machine has this minion's key: two that chase each other away help nobody. */
const DISPLACED_MS = 60_000;
/** A session that lived less than this has not shown that the next will. */
const PROOF_MS = 30_000;

/** What to wait before the next attempt, and how many in a row have failed by now. */
export interface NextAttempt {
  readonly delayMs: number;
  readonly failures: number;
}

/** Full jitter, so that a fleet does not come back all at once. */
export function nextAttempt(end: AttemptEnd, failures: number, random: Random): NextAttempt {
  if (end.reason === 'pending' || end.reason === 'turned-away')
    return { delayMs: end.retrySeconds * 1000 * (1 + 0.2 * random()), failures: 0 };
  if (end.reason === 'restarting') return { delayMs: random() * RESTART_SPREAD_MS, failures: 0 };
  if (end.reason === 'renewed') return { delayMs: random() * 1000, failures: 0 };
  if (end.reason === 'displaced') return { delayMs: DISPLACED_MS * (1 + random()), failures: 0 };
  const isProven = 'livedMs' in end && end.livedMs >= PROOF_MS;
  const inARow = isProven ? 0 : failures;
  return { delayMs: random() * Math.min(CAP_MS, 1000 * 2 ** inARow), failures: inARow + 1 };
}
