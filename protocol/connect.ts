import { openChannel } from './channel.ts';
import type { Channel } from './channel.ts';
import { toHex } from './bytes.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { ChannelTiming } from './heartbeat.ts';
import { HANDSHAKE_LIMITS } from './handshake.ts';
import { refusal } from './handshake-messages.ts';
import { mailboxOf } from './mailbox.ts';
import { answerMinion } from './master-handshake.ts';
import type { Claim, MasterSide } from './master-handshake.ts';
import {
  MASTER_MESSAGE_CAPS,
  MINION_MESSAGE_CAPS,
  masterMessageSchema,
  minionMessageSchema,
} from './messages.ts';
import type { MasterMessage, MinionMessage } from './messages.ts';
import { refuseDeep } from './nesting.ts';
import { startMinionHandshake } from './minion-handshake.ts';
import type { MinionSide } from './minion-handshake.ts';
import { createOpener, createSealer } from './records.ts';
import { decodeVerdict, encodeVerdict } from './verdict.ts';
import type { ToldVerdict, Verdict } from './verdict.ts';
import { CLOSE_NORMAL, CLOSE_REFUSED } from './wire.ts';
import type { Wire } from './wire.ts';

/** The master's end of a session with one minion. */
export type MinionChannel = Channel<MinionMessage, MasterMessage>;

/** The minion's end. */
export type MasterChannel = Channel<MasterMessage, MinionMessage>;

export interface AcceptOptions extends MasterSide {
  /** Judges a minion whose key is proven; `sessionId` is hex. */
  readonly decide: (claim: Claim, sessionId: string) => Verdict | Promise<Verdict>;
  readonly timing?: Partial<ChannelTiming>;
  readonly limits?: Pick<typeof HANDSHAKE_LIMITS, 'm1Ms' | 'm3Ms'>;
}

export interface Accepted {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** `null` unless the verdict is `accepted`; the wire is closed then. */
  readonly channel: MinionChannel | null;
}

/** The master's whole part of a new connection. Throws HANDSHAKE_FAILED, with the wire closed. */
export async function acceptMinion(wire: Wire, options: AcceptOptions): Promise<Accepted> {
  return orClose(wire, async () => {
    const { crypto, timing = {}, limits = HANDSHAKE_LIMITS } = options;
    const mailbox = mailboxOf(wire);
    const handshake = answerMinion(options, await mailbox.take(limits.m1Ms));
    await wire.send(handshake.m2);
    const { claim, keys } = handshake.finish(await mailbox.take(limits.m3Ms));

    const verdict = await options.decide(claim, toHex(keys.id));
    const sealer = createSealer(crypto, keys.toMinion);
    for (const record of sealer.seal(encodeVerdict(verdict))) await wire.send(record);
    if (verdict.verdict !== 'accepted') {
      wire.close(CLOSE_NORMAL);
      return { claim, verdict, channel: null };
    }
    const channel = openChannel<MinionMessage, MasterMessage>({
      wire: mailbox.handOn(),
      sessionId: keys.id,
      sealer,
      opener: createOpener(crypto, keys.toMaster),
      inbound: {
        parse: (value) => minionMessageSchema.parse(refuseDeep(value)),
        caps: MINION_MESSAGE_CAPS,
      },
      timing,
    });
    return { claim, verdict, channel };
  });
}

export interface ConnectOptions extends MinionSide {
  readonly timing?: Partial<ChannelTiming>;
}

export interface Connected extends ToldVerdict {
  /** Of the root key that has certified the master: what trust on first use writes down. */
  readonly rootFingerprint: string;
  /** Of the certificate: the lowest to accept from now on. */
  readonly serial: bigint;
  /** `null` unless the verdict is `accepted`; the wire is closed then. */
  readonly channel: MasterChannel | null;
}

/** The minion's whole part of a new connection. Throws HANDSHAKE_FAILED, with the wire closed. */
export async function connectMaster(wire: Wire, options: ConnectOptions): Promise<Connected> {
  return orClose(wire, async () => {
    const { crypto, timing = {} } = options;
    const mailbox = mailboxOf(wire);
    const handshake = startMinionHandshake(options);
    await wire.send(handshake.m1);
    const { m3, certificate, keys } = handshake.answer(await mailbox.take(HANDSHAKE_LIMITS.m2Ms));
    await wire.send(m3);

    const opener = createOpener(crypto, keys.toMinion);
    const first = opener.open(await mailbox.take(HANDSHAKE_LIMITS.verdictMs));
    if (first === null) throw refusal('the master gives no verdict');
    const told = decodeVerdict(first);
    const rootFingerprint = fingerprintOf(crypto, certificate.rootKey);
    const answer = { ...told, rootFingerprint, serial: certificate.serial };
    if (told.verdict !== 'accepted') {
      wire.close(CLOSE_NORMAL);
      return { ...answer, channel: null };
    }
    const channel = openChannel<MasterMessage, MinionMessage>({
      wire: mailbox.handOn(),
      sessionId: keys.id,
      sealer: createSealer(crypto, keys.toMaster),
      opener,
      inbound: { parse: (value) => masterMessageSchema.parse(value), caps: MASTER_MESSAGE_CAPS },
      timing,
    });
    return { ...answer, channel };
  });
}

/** Whatever goes wrong before there is a session, the other side learns nothing but the end. */
async function orClose<T>(wire: Wire, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    wire.close(CLOSE_REFUSED);
    throw error;
  }
}
