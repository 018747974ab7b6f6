/**
 * What a channel runs over: whole binary messages in order, as a websocket carries them. What has
 * come in before `listen` is kept until then.
 */
export interface Wire {
  /** Resolves when the bytes are on their way and more can follow; rejects when the wire is closed. */
  readonly send: (bytes: Uint8Array) => Promise<void>;
  /** Ends it in order, with a websocket close code. */
  readonly close: (code: number) => void;
  /** Ends it at once: the other side is believed to be gone. */
  readonly terminate: () => void;
  /** Stops and resumes taking in messages, so that a fast sender has to wait. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Replaces the listener before it. */
  readonly listen: (listener: WireListener) => void;
}

export interface WireListener {
  message(bytes: Uint8Array): void;
  /** Once, and nothing follows it. */
  close(): void;
}

/** Websocket close codes. No other detail is ever told to a peer that is not authenticated. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_NOT_BINARY = 1003;
export const CLOSE_REFUSED = 4400;
