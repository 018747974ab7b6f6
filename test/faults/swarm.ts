import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { stayConnected } from '../../minion/agent/connection.ts';
import type { ChannelEnd } from '../../protocol/channel.ts';
import { connectMaster } from '../../protocol/connect.ts';
import type { Connected, MasterChannel } from '../../protocol/connect.ts';
import { WEBSOCKET_LIMITS } from '../../protocol/handshake.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import type { Report } from '../../protocol/report.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import type { Wire } from '../../protocol/wire.ts';
import { ConductorError } from '../../shared/errors.ts';
import { createLogger } from '../../shared/log.ts';
import { report } from '../master/harness.ts';

/** Simulated minions, many in one process: real keys, sessions and ways to come back, and runs that only take their time. */

const orderSchema = z.object({
  url: z.string(),
  pin: z.string(),
  /** Numbers of the minions of this process. */
  from: z.number(),
  to: z.number(),
  /** Where they come from, in turn: a master bounds what one address may do. */
  addresses: z.array(z.string()),
});

type Order = z.infer<typeof orderSchema>;

/** What a process of them says of itself, twice a second. */
export const tallySchema = z.object({
  connected: z.number(),
  /** By job: how many minions have run it, and how many more than once. */
  runs: z.record(z.string(), z.object({ once: z.number(), more: z.number() })),
  /** Why they were not connected, and when last (seconds since 1970). */
  problems: z.record(z.string(), z.object({ times: z.number(), last: z.number() })),
});

export type Tally = z.infer<typeof tallySchema>;

export function minionName(number: number): string {
  return `sim-${String(number).padStart(5, '0')}`;
}

/** The same key for the same number, so that it can be made known beforehand. */
export function keyOf(number: number) {
  return nodeCrypto.signingKey(createHash('sha256').update(minionName(number)).digest());
}

interface Simulated {
  readonly id: string;
  readonly runs: Map<string, number>;
  readonly underWay: Set<string>;
  readonly spool: Map<string, Report>;
  channel: MasterChannel | null;
}

const problems: Tally['problems'] = {};
const log = createLogger({ name: 'swarm', level: 'warn', write: countProblem });
const warning = z.object({ problem: z.string().optional(), message: z.string() });

function countProblem(line: string): void {
  const { problem, message } = warning.parse(JSON.parse(line));
  const what = problem ?? message;
  const times = (problems[what]?.times ?? 0) + 1;
  problems[what] = { times, last: Math.round(Date.now() / 1000) };
}

const FACTS = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`fact ${index}`, 'a value as long as most are']),
);
/** Runs take up to this long. */
const LONGEST_RUN_MS = 1_500;

function start(order: Order, number: number): Simulated {
  const minion: Simulated = {
    id: minionName(number),
    runs: new Map(),
    underWay: new Set(),
    spool: new Map(),
    channel: null,
  };
  const address = order.addresses[number % order.addresses.length] ?? '127.0.0.1';
  void stayConnected({
    masters: [order.url],
    connect: (url) => greet(order, number, { url, address }),
    attend: (channel) => attend(minion, channel),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    signal: new AbortController().signal,
    random: Math.random,
    log,
  });
  return minion;
}

interface Route {
  readonly url: string;
  readonly address: string;
}

async function greet({ pin }: Order, number: number, route: Route): Promise<Connected> {
  return connectMaster(await dialFrom(route), {
    crypto: nodeCrypto,
    pin,
    minimumSerial: 0n,
    id: minionName(number),
    identity: keyOf(number),
  });
}

function dialFrom({ url, address }: Route): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const options = { ...WEBSOCKET_LIMITS, handshakeTimeout: 20_000, localAddress: address };
    const socket = new WebSocket(url, options);
    const failed = (cause: Error): void => {
      reject(new ConductorError('MASTER_UNREACHABLE', cause.message, { cause }));
    };
    socket.once('error', failed);
    socket.once('open', () => {
      const wire = wireOf(socket);
      socket.off('error', failed);
      resolve(wire);
    });
  });
}

async function attend(minion: Simulated, channel: MasterChannel): Promise<ChannelEnd> {
  minion.channel = channel;
  const jobs = [...minion.underWay, ...minion.spool.keys()];
  const hello = { version: '0.1.0', capabilities: [], facts: FACTS, jobs, nextRefresh: null };
  tell(minion, { type: 'hello', ...hello });
  channel.listen((message) => obey(minion, message));
  for (const kept of minion.spool.values()) tell(minion, { type: 'report', report: kept });
  const end = await channel.ended;
  minion.channel = null;
  return end;
}

function tell({ channel }: Simulated, message: MinionMessage): void {
  // What is lost with the session is told again in the next one.
  channel?.send(message).catch(() => undefined);
}

function obey(minion: Simulated, message: MasterMessage): void {
  if (message.type === 'report-stored') minion.spool.delete(message.job);
  if (message.type === 'ping') tell(minion, { type: 'pong', request: message.request });
  if (message.type !== 'job') return;
  const { job } = message.options;
  tell(minion, { type: 'job-accepted', job, waiting: false });
  if (minion.underWay.has(job) || minion.spool.has(job)) return;
  minion.underWay.add(job);
  minion.runs.set(job, (minion.runs.get(job) ?? 0) + 1);
  const have = { share: null, pillar: null };
  const { revision } = message;
  tell(minion, { type: 'prepare', request: minion.runs.size, revision, have, stateFiles: [] });
  setTimeout(() => finish(minion, job), Math.random() * LONGEST_RUN_MS);
}

function finish(minion: Simulated, job: string): void {
  const made = report(job, minion.id);
  minion.underWay.delete(job);
  minion.spool.set(job, made);
  tell(minion, { type: 'report', report: made });
}

function tallyOf(minions: readonly Simulated[]): Tally {
  const runs: Tally['runs'] = {};
  for (const [job, count] of minions.flatMap((minion) => [...minion.runs])) {
    const known = runs[job] ?? { once: 0, more: 0 };
    runs[job] = {
      ...known,
      [count === 1 ? 'once' : 'more']: known[count === 1 ? 'once' : 'more'] + 1,
    };
  }
  return { connected: minions.filter(({ channel }) => channel !== null).length, runs, problems };
}

/** Only as a process of its own; whoever imports it wants to know its names and keys. */
if (process.send !== undefined && process.argv[1]?.includes('swarm') === true) {
  process.once('message', (order) => {
    const parsed = orderSchema.parse(order);
    const { from, to } = parsed;
    const minions = Array.from({ length: to - from }, (_, index) => start(parsed, from + index));
    setInterval(() => process.send?.(tallyOf(minions)), 500);
  });
}
