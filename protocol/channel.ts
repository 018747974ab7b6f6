import { ConductorError, messageOf } from '../shared/errors.ts';
import { concat, readerOf, toHex, u16, u8 } from './bytes.ts';
import { CHANNEL_TIMING, startHeartbeat } from './heartbeat.ts';
import type { ChannelTiming, Heartbeat } from './heartbeat.ts';
import { createInbox } from './inbox.ts';
import type { Handler, Inbox } from './inbox.ts';
import { createOutbox } from './outbox.ts';
import type { Outbox } from './outbox.ts';
import { RECORD } from './records.ts';
import type { Opener, Sealer } from './records.ts';
import { createAssembler } from './streams.ts';
import type { Assembler, SizeCaps } from './streams.ts';
import { CLOSE_NORMAL, CLOSE_REFUSED } from './wire.ts';
import type { Wire } from './wire.ts';

/** Why a side ends a session in order; the number that stands for each on the wire is its index. */
const CLOSE_REASONS = [
  'done',
  'restarting',
  'renewed',
  'displaced',
  'revoked',
  'refused',
  'failed',
] as const;

export type CloseReason = (typeof CLOSE_REASONS)[number];

/** How a session ended: by an authenticated CLOSE, or abnormally. */
export interface ChannelEnd {
  /** `lost`: the connection broke; `silent`: nothing came for too long; `broken`: what came was wrong. */
  readonly reason: CloseReason | 'lost' | 'silent' | 'broken';
  readonly by: 'us' | 'them';
  /** For `broken`, and for `failed` by us: what was wrong. For this side's log only. */
  readonly error?: Error;
}

/** What one side takes in: `parse` is a closed schema's, `caps` bounds each type's bytes. */
export interface Inbound<In> {
  readonly parse: (value: unknown) => In;
  readonly caps: SizeCaps;
}

/** An authenticated session. */
export interface Channel<In, Out> {
  readonly sessionId: string;
  /** Resolves when the message has left this side; rejects with CHANNEL_CLOSED. */
  send(message: Out): Promise<void>;
  /**
   * Gives every message, in order, one at a time: the next comes when the promise is settled, so
   * a handler must not wait for another message. A handler that throws ends the session.
   */
  listen(handler: Handler<In>): void;
  /** Ends it in order; resolves when the other side has been told, or cannot be. */
  close(reason: CloseReason): Promise<void>;
  /** Never rejects. */
  readonly ended: Promise<ChannelEnd>;
}

export interface ChannelParts<In> {
  readonly wire: Wire;
  readonly sessionId: Uint8Array;
  readonly sealer: Sealer;
  readonly opener: Opener;
  readonly inbound: Inbound<In>;
  readonly timing?: Partial<ChannelTiming>;
}

/** Opens a channel over a wire whose handshake is done. */
export function openChannel<In, Out extends { readonly type: string }>(
  parts: ChannelParts<In>,
): Channel<In, Out> {
  return new Session<In, Out>(parts);
}

class Session<In, Out extends { readonly type: string }> implements Channel<In, Out> {
  readonly sessionId: string;
  readonly ended: Promise<ChannelEnd>;
  readonly #wire: Wire;
  readonly #opener: Opener;
  readonly #inbound: Inbound<In>;
  readonly #timing: ChannelTiming;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox<In>;
  readonly #assembler: Assembler;
  readonly #heartbeat: Heartbeat;
  #resolveEnd: (end: ChannelEnd) => void = () => undefined;
  #end: ChannelEnd | null = null;

  constructor({ wire, sessionId, sealer, opener, inbound, timing }: ChannelParts<In>) {
    [this.#wire, this.#opener, this.#inbound] = [wire, opener, inbound];
    this.sessionId = toHex(sessionId);
    this.#timing = { ...CHANNEL_TIMING, ...timing };
    this.ended = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    this.#assembler = createAssembler(inbound.caps);
    this.#outbox = createOutbox(async (plaintext) => {
      for (const record of sealer.seal(plaintext)) await wire.send(record);
    });
    this.#inbox = createInbox<In>({
      pause: wire.pause,
      resume: wire.resume,
      fail: (error) => void this.#closeFor({ reason: 'failed', by: 'us', error }, 'failed'),
    });
    this.#heartbeat = startHeartbeat(this.#timing, {
      send: (plaintext) => this.#sendUrgent(plaintext),
      isIdle: () => this.#outbox.isEmpty && this.#inbox.isEmpty && this.#assembler.open === 0,
      isDeaf: () => this.#inbox.isPaused,
      dead: () => void this.#break({ reason: 'silent', by: 'them' }),
      expired: () => void this.close('renewed'),
    });
    wire.listen({
      message: (bytes) => void this.#receive(bytes),
      close: () => void this.#finish({ reason: 'lost', by: 'them' }),
    });
  }

  send(message: Out): Promise<void> {
    return this.#outbox.message(message.type, JSON.stringify(message));
  }

  listen(handler: Handler<In>): void {
    this.#inbox.listen(handler);
  }

  close(reason: CloseReason): Promise<void> {
    return this.#closeFor({ reason, by: 'us' }, reason);
  }

  async #closeFor(end: ChannelEnd, reason: CloseReason): Promise<void> {
    if (this.#end !== null) return;
    const patience = setTimeout(this.#wire.terminate, this.#timing.closeMs);
    try {
      await this.#finish(end, concat(u8(RECORD.close), u16(CLOSE_REASONS.indexOf(reason))));
      this.#wire.close(CLOSE_NORMAL);
    } catch {
      // The wire is gone already: the other side sees an abnormal end, and there is no one to tell.
      this.#wire.terminate();
    } finally {
      clearTimeout(patience);
    }
  }

  async #break(end: ChannelEnd): Promise<void> {
    await this.#finish(end);
    this.#wire.terminate();
  }

  /** From here on nothing is heard, and nothing but `last` is sent. Only the first reason counts. */
  async #finish(end: ChannelEnd, last: Uint8Array | null = null): Promise<void> {
    if (this.#end !== null) return;
    this.#end = end;
    this.#heartbeat.stop();
    this.#inbox.clear();
    this.#resolveEnd(end);
    const reason = end.error === undefined ? end.reason : messageOf(end.error);
    const failure = `Cannot send: the session has ended (${reason})`;
    await this.#outbox.end(new ConductorError('CHANNEL_CLOSED', failure), last);
  }

  /** What cannot be sent any more need not be: the wire's end, or silence, will be noticed. */
  async #sendUrgent(plaintext: Uint8Array): Promise<void> {
    try {
      await this.#outbox.urgent(plaintext);
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(messageOf(error));
      await this.#break({ reason: 'lost', by: 'them', error: cause });
    }
  }

  async #receive(bytes: Uint8Array): Promise<void> {
    if (this.#end !== null) return;
    this.#heartbeat.heard();
    let isAuthentic = false;
    try {
      const plaintext = this.#opener.open(bytes);
      isAuthentic = true;
      if (plaintext !== null) this.#dispatch(plaintext[0] ?? -1, plaintext.subarray(1));
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(messageOf(error));
      await this.#refuse({ reason: 'broken', by: 'them', error: cause }, isAuthentic);
    }
  }

  /** Only who has proved to have sent it may know that we cannot use it, and so not send it for ever. */
  async #refuse(end: ChannelEnd, isAuthentic: boolean): Promise<void> {
    if (isAuthentic) return this.#closeFor(end, 'failed');
    await this.#finish(end);
    this.#wire.close(CLOSE_REFUSED);
  }

  #dispatch(type: number, body: Uint8Array): void {
    switch (type) {
      case RECORD.message:
        this.#inbox.put(this.#parse(body), body.length);
        return;
      case RECORD.chunk:
        this.#receiveChunk(body);
        return;
      case RECORD.heartbeat:
        this.#receiveHeartbeat(body);
        return;
      case RECORD.close:
        void this.#receiveClose(body);
        return;
      default:
        throw new ConductorError('MESSAGE_INVALID', `Cannot read a record of type ${type}`);
    }
  }

  #receiveChunk(body: Uint8Array): void {
    const whole = this.#assembler.take(body);
    if (whole !== null) this.#inbox.put(this.#parse(whole.body, whole.type), whole.body.length);
  }

  #receiveHeartbeat(body: Uint8Array): void {
    const pong = this.#heartbeat.answer(body);
    if (pong !== null) void this.#sendUrgent(pong);
  }

  async #receiveClose(body: Uint8Array): Promise<void> {
    const reason = CLOSE_REASONS[readerOf(body).u16()] ?? 'failed';
    await this.#finish({ reason, by: 'them' });
    this.#wire.close(CLOSE_NORMAL);
  }

  /** A streamed message must be of the type that it was declared as, by which its size was judged. */
  #parse(body: Uint8Array, declared?: string): In {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (declared !== undefined && typeOf(value) !== declared)
      throw new ConductorError('MESSAGE_INVALID', `Cannot read a "${declared}": it is another`);
    return this.#inbound.parse(value);
  }
}

function typeOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
}
