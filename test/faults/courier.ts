import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { dial } from '../../minion/agent/dial.ts';
import { makeCertificate } from '../../protocol/certificate.ts';
import { acceptMinion, connectMaster } from '../../protocol/connect.ts';
import type { MasterChannel, MinionChannel } from '../../protocol/connect.ts';
import type { SigningKey } from '../../protocol/crypto.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { WEBSOCKET_LIMITS } from '../../protocol/handshake.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import { nodeCrypto as crypto } from '../../protocol/node-crypto.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import type { Wire } from '../../protocol/wire.ts';

/**
 * Stands between a minion and its master with the keys of both. Nobody else could: what it does to their messages, the
 * wire does not do. It shows what they make of messages that come twice, late, out of order, or in another session.
 */
export interface Courier {
  /** As a minion's `master` setting. */
  readonly address: string;
  readonly tally: Tally;
  /** Ends the session that is under way, as when a connection breaks. */
  breakSession(): void;
  /** Whether everything has been delivered, as often as it is to be. */
  isDone(): boolean;
  close(): Promise<void>;
}

export interface Tally {
  delivered: number;
  /** Of these, how many had been delivered before. */
  again: number;
  /** How many were delivered in a later session than the one they came from. */
  late: number;
}

export interface Keys {
  readonly root: SigningKey;
  readonly identity: SigningKey;
  readonly minion: SigningKey;
}

/** When a message is to be delivered: after so many milliseconds each; `null`: at once and in its order. */
export interface Disorder {
  toMaster(message: MinionMessage): readonly number[] | null;
  toMinion(message: MasterMessage): readonly number[] | null;
  /** What a minion is told again once its master has taken a report of that job, and when. */
  afterEnd(): readonly number[];
}

interface Parts {
  readonly host: string;
  /** `host:port` */
  readonly master: string;
  readonly id: string;
  readonly keys: Keys;
  readonly disorder: Disorder;
}

/** What outlives a session. */
interface Round {
  readonly tally: Tally;
  readonly jobs: Map<string, MasterMessage>;
  underWay: number;
  sessions: number;
  session: {
    readonly near: MinionChannel;
    readonly far: MasterChannel;
    readonly wire: Wire;
  } | null;
}

export async function openCourier(parts: Parts): Promise<Courier> {
  const tally = { delivered: 0, again: 0, late: 0 };
  const round: Round = { tally, jobs: new Map(), underWay: 0, sessions: 0, session: null };
  const server = new WebSocketServer({ host: parts.host, port: 0, ...WEBSOCKET_LIMITS });
  server.on('connection', (socket) => {
    // Either end may go at any moment: the minion comes again.
    carry(parts, round, wireOf(socket)).catch(() => socket.terminate());
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the courier is deaf');
  return {
    address: `${parts.host}:${address.port}`,
    tally,
    breakSession: () => round.session?.wire.terminate(),
    isDone: () => round.underWay === 0,
    close: async () => {
      for (const client of server.clients) client.terminate();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function carry(parts: Parts, round: Round, wire: Wire): Promise<void> {
  const { keys, id, master } = parts;
  const certificate = makeCertificate(crypto, keys.root, keys.identity.publicKey, 1n);
  const side = { crypto, certificate, identity: keys.identity, decide: letIn };
  const { channel: near } = await acceptMinion(wire, side);
  const pin = fingerprintOf(crypto, keys.root.publicKey);
  const self = { crypto, pin, minimumSerial: 0n, id, identity: keys.minion };
  const { channel: far } = await connectMaster(await dial(master, null), self);
  if (near === null || far === null) throw new Error('the master does not take the minion');
  near.listen(async (message) => {
    const delays = parts.disorder.toMaster(message);
    if (delays === null) await far.send(message);
    else for (const delay of delays) void later(round, { message, to: 'far', delay });
    if (message.type === 'hello') begin(round, { near, far, wire });
  });
  far.listen(async (message) => {
    const delays = parts.disorder.toMinion(message);
    if (delays === null) await near.send(message);
    else for (const delay of delays) void later(round, { message, to: 'near', delay });
    repeatAfterEnd(parts, round, message);
  });
  await Promise.race([near.ended, far.ended]);
  if (round.session?.near === near) round.session = null;
  await Promise.all([near.close('restarting'), far.close('done')]);
}

function letIn() {
  return { verdict: 'accepted' } as const;
}

function begin(round: Round, session: NonNullable<Round['session']>): void {
  round.sessions += 1;
  round.session = session;
}

/** The job, and an old word that it is to end, when all is over. */
function repeatAfterEnd({ disorder }: Parts, round: Round, message: MasterMessage): void {
  if (message.type === 'job') round.jobs.set(message.options.job, message);
  if (message.type !== 'report-stored') return;
  const again = round.jobs.get(message.job);
  if (again === undefined) return;
  round.jobs.delete(message.job);
  for (const delay of disorder.afterEnd()) {
    void later(round, { message: again, to: 'near', delay });
    void later(round, { message: { type: 'cancel', job: message.job }, to: 'near', delay });
  }
}

type Letter =
  | { readonly to: 'far'; readonly message: MinionMessage; readonly delay: number }
  | { readonly to: 'near'; readonly message: MasterMessage; readonly delay: number };

const RETRY_MS = 100;

/** In whatever session there is by then; if there is none, in the next. */
async function later(round: Round, letter: Letter): Promise<void> {
  const { sessions, tally } = round;
  round.underWay += 1;
  await sleep(letter.delay);
  while (!(await isSent(round, letter))) await sleep(RETRY_MS);
  tally.delivered += 1;
  if (letter.delay > 0) tally.again += 1;
  if (round.sessions > sessions) tally.late += 1;
  round.underWay -= 1;
}

async function isSent({ session }: Round, letter: Letter): Promise<boolean> {
  if (session === null) return false;
  try {
    if (letter.to === 'far') await session.far.send(letter.message);
    else await session.near.send(letter.message);
    return true;
  } catch {
    // The session has ended meanwhile: the letter goes with the next one.
    return false;
  }
}
