import { fromHex, toHex } from '../../protocol/bytes.ts';
import type { CloseReason } from '../../protocol/channel.ts';
import { acceptMinion, type MinionChannel } from '../../protocol/connect.ts';
import type { Claim as ProvenClaim, MasterSide } from '../../protocol/master-handshake.ts';
import type { Verdict } from '../../protocol/verdict.ts';
import type { Wire } from '../../protocol/wire.ts';
import { ConductorError, messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { Invitation, Minion } from '../store/store.ts';
import type { Backoff } from './backoff.ts';
import { dispatch, type DispatchParts, type Sender } from './dispatch.ts';
import { judge } from './enrolment.ts';
import type { Presence, Session } from './presence.ts';

export interface ReceptionParts extends DispatchParts {
  readonly side: MasterSide;
  readonly presence: Presence;
  readonly backoff: Backoff;
  readonly log: Logger;
}

export interface Visitor {
  readonly address: string;
  /** To be called once it is known who it is, or that it is nobody. */
  readonly known: () => void;
}

/** From a new connection to a session, or to its end. Never rejects: a peer's fault is the log's. */
export async function receive(parts: ReceptionParts, wire: Wire, visitor: Visitor): Promise<void> {
  const { address, known } = visitor;
  const enrolled = new Map<string, Minion>();
  try {
    const { claim, channel } = await acceptMinion(wire, {
      ...parts.side,
      decide: async (claim) => {
        const { verdict, minion } = await decide(parts, claim, address);
        if (minion !== null) enrolled.set(claim.id, minion);
        return verdict;
      },
    });
    known();
    const minion = enrolled.get(claim.id);
    if (channel !== null && minion !== undefined) await attend(parts, { minion, channel, address });
  } catch (error) {
    const expected = error instanceof ConductorError;
    const fields = { address, problem: messageOf(error), ...(expected ? {} : { error }) };
    parts.log[expected ? 'info' : 'error'](fields, 'Connection ended');
  }
}

/** The verdict of the table of enrolment, and what the store says of the minion after it. */
async function decide(
  {
    store,
    backoff,
    log,
    now,
    alarm,
  }: Pick<ReceptionParts, 'store' | 'backoff' | 'log' | 'now' | 'alarm'>,
  claim: ProvenClaim,
  address: string,
): Promise<{ verdict: Verdict; minion: Minion | null }> {
  const { id, fingerprint } = claim;
  const publicKey = toHex(claim.publicKey);
  // Whoever shares an address with a minion must not be able to keep it away by claiming its id.
  const isKnown = async () => (await store.minions.get(id))?.publicKey === publicKey;
  if (backoff.isWaiting(address, id) && !(await isKnown()))
    return { verdict: { verdict: 'denied' }, minion: null };
  const join = claim.join;
  const knowsSecret = ({ secretHash }: Invitation) => join?.proves(fromHex(secretHash)) ?? false;
  const stated = {
    id,
    publicKey,
    address,
    invitation: join === null ? null : toHex(join.tokenId),
    at: now().toISOString(),
  };
  const { judgement, minion } = await store.minions.enrol(stated, (known) =>
    judge(stated, known, { knowsSecret }),
  );
  const { verdict } = judgement;
  if (judgement.write !== 'nothing') log.info({ minion: id, fingerprint, verdict }, 'Key enrolled');
  if ('because' in judgement) {
    log.warn({ minion: id, fingerprint, address, because: judgement.because }, 'Minion refused');
    if (verdict === 'denied') backoff.start(address, id);
    if (minion?.state === 'accepted')
      alarm(id, `A stranger at ${address} claims to be "${id}": ${judgement.because}`);
  }
  return { verdict: { verdict }, minion };
}

interface Stay {
  readonly minion: Minion;
  readonly channel: MinionChannel;
  readonly address: string;
}

/** An accepted minion's whole stay. Whatever ends it, nobody is thought to be here who is not. */
async function attend(parts: ReceptionParts, stay: Stay): Promise<void> {
  const { presence, now } = parts;
  const { minion, channel, address } = stay;
  const log = parts.log.child({ minion: minion.id });
  const session = sessionOf(minion, channel, { address, log, connectedAt: now().toISOString() });
  const { isCloneAlarm } = presence.enter(session);
  if (isCloneAlarm)
    parts.alarm(
      minion.id,
      `"${minion.id}" connects again and again: two machines may hold its key`,
    );
  try {
    await converse({ ...parts, log }, stay, session);
  } catch (error) {
    session.end('restarting');
    throw error;
  } finally {
    if (presence.leave(session)) await noteLeaving(parts, minion.id);
  }
}

async function converse(parts: ReceptionParts, stay: Stay, session: Session): Promise<void> {
  const { store, log } = parts;
  const { minion, channel, address } = stay;
  const seenAt = session.connectedAt;
  await store.minions.note(minion.id, { address, seenAt, isConnected: true });
  log.info({ address, session: channel.sessionId }, 'Minion connected');

  // Whoever has changed the key since the verdict may have been too early to find the session.
  const current = await store.minions.get(minion.id);
  if (current?.generation !== minion.generation)
    session.end(current?.state === 'accepted' ? 'renewed' : 'revoked');

  const sender: Sender = { session, granted: new Map() };
  channel.listen((message) => orRestart(log, session, dispatch(parts, sender, message)));
  const end = await channel.ended;
  const level = end.reason === 'failed' || end.reason === 'broken' ? 'warn' : 'info';
  log[level]({ reason: end.reason, by: end.by, error: end.error }, 'Minion disconnected');
}

/** That a disk of ours is full is no fault of what the minion has sent: it keeps it, and comes again. */
async function orRestart(log: Logger, session: Session, handling: Promise<void>): Promise<void> {
  try {
    await handling;
  } catch (error) {
    if (!(error instanceof ConductorError) || error.code !== 'HOST_FILE_FAILED') throw error;
    log.error({ problem: error.message }, 'What a minion says cannot be kept');
    session.end('restarting');
  }
}

async function noteLeaving(
  { store, presence, jobs, now }: ReceptionParts,
  minion: string,
): Promise<void> {
  const seenAt = now().toISOString();
  try {
    await store.minions.note(
      minion,
      presence.isEnding() ? { seenAt } : { seenAt, isConnected: false },
    );
  } finally {
    await jobs.disconnected(minion);
  }
}

function sessionOf(
  { id, generation }: Minion,
  channel: MinionChannel,
  { address, connectedAt, log }: { address: string; connectedAt: string; log: Logger },
): Session {
  return {
    minion: id,
    generation,
    address,
    connectedAt,
    sentJobs: new Set(),
    capabilities: null,
    send(message) {
      channel.send(message).catch((error: unknown) => {
        // The end of the session itself is told by `ended`; what matters is asked for again.
        log.debug({ type: message.type, problem: messageOf(error) }, 'Message not sent');
      });
    },
    end(reason) {
      const closing: CloseReason = reason;
      void channel.close(closing);
    },
  };
}
