/** What both sides of the handshake agree on beforehand. */

export const VERSION = 1;
export const SUITE = 1;

/** Bounds that callers keep while a peer is not yet authenticated. */
export const HANDSHAKE_LIMITS = {
  upgradeMs: 5_000,
  m1Ms: 2_000,
  m2Ms: 5_000,
  m3Ms: 5_000,
  verdictMs: 30_000,
  /** For the other side to take its part in the end. */
  closeMs: 2_000,
  /** At once, on a whole master. */
  inFlight: 256,
  /** New connections from one address in a second. */
  perAddressPerSecond: 20,
} as const;

/** The options that a websocket server or client of the minion channel must have. */
export const WEBSOCKET_LIMITS = {
  maxPayload: 73_728,
  perMessageDeflate: false,
  maxFragments: 8,
} as const;

/** Values that are random in life; a known-answer test gives its own. */
export interface Chance {
  readonly ephemeral: Uint8Array;
  readonly nonce: Uint8Array;
}
