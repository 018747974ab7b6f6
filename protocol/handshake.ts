/** What both sides of the handshake agree on beforehand. */

export const VERSION = 1;
export const SUITE = 1;

/**
 * Bounds that callers keep while a peer is not yet authenticated. Each time is for one way there and back, two for the
 * upgrade: over a link by satellite or one that is full, that is seconds.
 */
export const HANDSHAKE_LIMITS = {
  upgradeMs: 20_000,
  m1Ms: 10_000,
  m2Ms: 15_000,
  m3Ms: 10_000,
  verdictMs: 30_000,
  /** For the other side to take its part in the end. */
  closeMs: 2_000,
  /** At once, on a whole master. */
  inFlight: 256,
  /** At once, from one address: nobody alone can keep all others out. */
  inFlightPerAddress: 64,
  /** New connections from one address in a second. */
  perAddressPerSecond: 20,
};

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
