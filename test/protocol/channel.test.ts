import test from 'ava';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { makeCertificate } from '../../protocol/certificate.ts';
import { acceptMinion, connectMaster } from '../../protocol/connect.ts';
import type { AcceptOptions, ConnectOptions } from '../../protocol/connect.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { WEBSOCKET_LIMITS } from '../../protocol/handshake.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { createOutbox } from '../../protocol/outbox.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import { memoryWires } from './memory-wires.ts';
import type { Tampering } from './memory-wires.ts';

const crypto = nodeCrypto;
const seed = (byte: number) => new Uint8Array(32).fill(byte);
const root = crypto.signingKey(seed(1));
const identity = crypto.signingKey(seed(2));
const certificate = makeCertificate(crypto, root, identity.publicKey, 1n);

const acceptOptions: AcceptOptions = {
  crypto,
  certificate,
  identity,
  decide: () => ({ verdict: 'accepted' }),
};

const connectOptions: ConnectOptions = {
  crypto,
  pin: fingerprintOf(crypto, root.publicKey),
  minimumSerial: 0n,
  id: 'web-01',
  identity: crypto.signingKey(seed(3)),
};

interface Setting extends Tampering {
  readonly accept?: Partial<AcceptOptions>;
  readonly connect?: Partial<ConnectOptions>;
}

async function session({ accept = {}, connect = {}, ...tampering }: Setting = {}) {
  const wires = memoryWires(tampering);
  const [accepted, connected] = await Promise.all([
    acceptMinion(wires.master.wire, { ...acceptOptions, ...accept }),
    connectMaster(wires.minion.wire, { ...connectOptions, ...connect }),
  ]);
  if (accepted.channel === null || connected.channel === null) throw new Error('not accepted');
  return { wires, accepted, connected, master: accepted.channel, minion: connected.channel };
}

const big = (letters: number): MinionMessage => ({
  type: 'facts',
  facts: { text: 'x'.repeat(letters) },
});

test('messages of every size cross in both directions, and a small one overtakes a large one', async (t) => {
  const { master, minion } = await session();
  t.is(master.sessionId, minion.sessionId);
  const got: string[] = [];
  const two = new Promise<void>((resolve) => {
    master.listen((message) => {
      got.push(message.type);
      if (got.length === 2) resolve();
    });
  });
  const answer = new Promise<MasterMessage>((resolve) => {
    minion.listen(resolve);
  });
  void minion.send(big(500_000));
  void minion.send({ type: 'pong', request: 7 });
  await two;
  t.deepEqual(got, ['pong', 'facts']);
  await master.send({ type: 'ping', request: 8 });
  t.deepEqual(await answer, { type: 'ping', request: 8 });
  await master.close('done');
});

test('an orderly end is told apart from a broken one, and nothing is sent after it', async (t) => {
  const { wires, master, minion } = await session();
  await master.close('restarting');
  t.deepEqual(await minion.ended, { reason: 'restarting', by: 'them' });
  t.deepEqual(await master.ended, { reason: 'restarting', by: 'us' });
  t.is(wires.master.closedWith, 1000);
  await t.throwsAsync(minion.send({ type: 'pong', request: 9 }), { code: 'CHANNEL_CLOSED' });
  await master.close('done');

  const other = await session();
  const unsent = other.minion.send(big(500_000));
  other.wires.master.wire.terminate();
  t.like(await other.minion.ended, { reason: 'lost' });
  await t.throwsAsync(unsent, { code: 'CHANNEL_CLOSED' });
});

test('a record that a relay has changed, dropped, repeated or turned back ends the session', async (t) => {
  const relays: [string, (bytes: Uint8Array, earlier: Uint8Array) => Uint8Array[]][] = [
    ['changed', (bytes) => [bytes.map((byte, index) => (index === 3 ? byte ^ 1 : byte))]],
    ['repeated', (bytes) => [bytes, bytes]],
    ['replaced by an earlier one', (_bytes, earlier) => [earlier]],
    ['cut', (bytes) => [bytes.slice(0, -1)]],
  ];
  for (const [name, change] of relays) {
    let earlier = new Uint8Array();
    const { wires, master, minion } = await session({
      relay: (bytes, from, index) => {
        // 0 and 1 are the handshake.
        if (from === 'master' || index < 2) return [bytes];
        if (index === 2) earlier = Uint8Array.from(bytes);
        return index === 3 ? change(bytes, earlier) : [bytes];
      },
    });
    master.listen(() => undefined);
    await minion.send({ type: 'pong', request: 1 });
    await minion.send({ type: 'pong', request: 2 });
    const end = await master.ended;
    t.like(end, { reason: 'broken', by: 'them' }, name);
    t.is(wires.master.closedWith, 4400, name);
    await minion.close('done');
  }
});

test('what does not fit its closed schema, or is no JSON, ends the session', async (t) => {
  for (const message of [
    { type: 'pong', request: -1 },
    { type: 'pong', request: 1, extra: true },
    { type: 'job' },
  ]) {
    const { master, minion } = await session();
    master.listen(() => undefined);
    // @ts-expect-error this side is a liar
    await minion.send(message);
    t.like(await master.ended, { reason: 'broken' });
    t.deepEqual(await minion.ended, { reason: 'failed', by: 'them' });
  }
});

test('a streamed message over the cap of its type is refused at its first chunk', async (t) => {
  const { wires, master, minion } = await session();
  const before = wires.minion.sent.length;
  await t.throwsAsync(minion.send(big(2_000_000)), { code: 'CHANNEL_CLOSED' });
  t.like(await master.ended, { reason: 'broken' });
  t.true(wires.minion.sent.length - before < 8, 'little of it was ever taken');
});

test('a handler gets one message at a time, and one that throws costs its session only', async (t) => {
  const { wires, master, minion } = await session();
  const log: string[] = [];
  master.listen(async (message) => {
    log.push(`begin ${message.type}`);
    await sleep(5);
    log.push(`end ${message.type}`);
    if (message.type === 'schedule') throw new Error('a bug');
  });
  await minion.send({ type: 'pong', request: 1 });
  await minion.send({ type: 'schedule', nextRefresh: null });
  const end = await master.ended;
  t.deepEqual(log, ['begin pong', 'end pong', 'begin schedule', 'end schedule']);
  t.like(end, { reason: 'failed', by: 'us' });
  t.is(end.error?.message, 'a bug');
  t.like(await minion.ended, { reason: 'failed', by: 'them' });
  await sleep(5);
  t.is(wires.master.closedWith, 1000);
});

/** A session, and when its master has the wire wait or go on. */
async function watchedSession() {
  const wires = memoryWires();
  const calls: string[] = [];
  const watched = {
    ...wires.master.wire,
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
  };
  const [{ channel: master }, { channel: minion }] = await Promise.all([
    acceptMinion(watched, acceptOptions),
    connectMaster(wires.minion.wire, connectOptions),
  ]);
  calls.length = 0;
  return { calls, master, minion };
}

test('a sender that is too fast for the handler has to wait', async (t) => {
  const { calls, master, minion } = await watchedSession();
  let handled = 0;
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  master?.listen(async () => {
    await opened;
    handled += 1;
  });
  for (let request = 0; request < 100; request += 1) await minion?.send({ type: 'pong', request });
  t.deepEqual(calls, ['pause']);
  gate.emit('open');
  await sleep(50);
  t.is(handled, 100);
  t.deepEqual(calls, ['pause', 'resume']);
  await master?.close('done');
});

test('who sends large messages waits until those before are handled', async (t) => {
  const { calls, master, minion } = await watchedSession();
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  master?.listen(async () => void (await opened));
  const facts = { text: 'x'.repeat(600 * 1024) };
  await minion?.send({ type: 'facts', facts });
  t.deepEqual(calls, []);
  await minion?.send({ type: 'facts', facts });
  t.deepEqual(calls, ['pause']);
  gate.emit('open');
  await sleep(50);
  t.deepEqual(calls, ['pause', 'resume']);
  await master?.close('done');
});

test('a peer that has gone silent is noticed, one that only answers pings is not', async (t) => {
  const patient = { pingMs: 100, deadMs: 1_500 };
  const alive = await session({ accept: { timing: patient }, connect: { timing: patient } });
  await sleep(2_000);
  t.is(await Promise.race([alive.master.ended, sleep(0, 'alive')]), 'alive');
  await alive.master.close('done');

  let isCut = false;
  const timing = { pingMs: 20, deadMs: 60 };
  const { wires, master, minion } = await session({
    accept: { timing },
    connect: { timing: { pingMs: 10_000 } },
    relay: (bytes, from) => (isCut && from === 'minion' ? [] : [bytes]),
  });
  isCut = true;
  t.deepEqual(await master.ended, { reason: 'silent', by: 'them' });
  await sleep(5);
  t.is(wires.master.closedWith, null, 'terminated');
  await minion.ended;
});

test('an old session ends when it is idle, and at last even when it is not', async (t) => {
  const idle = await session({ accept: { timing: { pingMs: 10, lifeMs: 30 } } });
  t.deepEqual(await idle.minion.ended, { reason: 'renewed', by: 'them' });

  const busy = await session({
    accept: { timing: { pingMs: 10, lifeMs: 10, overtimeMs: 60 } },
  });
  busy.master.listen(() => sleep(2000, undefined, { ref: false }));
  const begun = performance.now();
  await busy.minion.send({ type: 'pong', request: 1 });
  t.deepEqual(await busy.minion.ended, { reason: 'renewed', by: 'them' });
  t.true(performance.now() - begun > 50);
});

test('heartbeats go before everything that waits, and four streams take turns', async (t) => {
  const sent: string[] = [];
  const wire = new EventEmitter();
  const outbox = createOutbox(async (plaintext) => {
    await once(wire, 'free');
    sent.push(plaintext[0] === 2 ? 'ping' : `${plaintext[0]}/${plaintext[4]}`);
  });
  const body = 'y'.repeat(100_000);
  const done = [0, 1, 2, 3, 4].map((number) => outbox.message(`type${number}`, body));
  const ping = outbox.urgent(Uint8Array.of(2));
  for (let step = 0; step < 26; step += 1) {
    wire.emit('free');
    await sleep(0);
  }
  await Promise.all([...done, ping]);
  const turns = ['32/0', '32/1', '32/2', '32/3'];
  t.deepEqual(sent.slice(0, 10), ['32/0', 'ping', ...turns, ...turns]);
  t.true(sent.indexOf('32/4') > sent.lastIndexOf('32/0'), 'the fifth waits for the first to end');
  t.true(outbox.isEmpty);
});

test('a minion that is not accepted learns its verdict and gets no channel', async (t) => {
  for (const verdict of ['pending', 'denied', 'rejected'] as const) {
    const wires = memoryWires();
    const [accepted, connected] = await Promise.all([
      acceptMinion(wires.master.wire, { ...acceptOptions, decide: () => ({ verdict }) }),
      connectMaster(wires.minion.wire, connectOptions),
    ]);
    t.is(accepted.channel, null);
    t.is(connected.channel, null);
    t.is(connected.verdict, verdict === 'pending' ? 'pending' : 'refused');
    t.is(connected.retrySeconds, verdict === 'pending' ? 60 : 3600);
    t.is(connected.rootFingerprint, connectOptions.pin ?? '');
    t.is(connected.serial, 1n);
    t.is(wires.master.closedWith, 1000);
  }
});

test('a failed handshake closes with one code, whatever was wrong', async (t) => {
  const wires = memoryWires();
  const accepting = acceptMinion(wires.master.wire, acceptOptions);
  await wires.minion.wire.send(new Uint8Array(9));
  await t.throwsAsync(accepting, { code: 'HANDSHAKE_FAILED' });
  t.is(wires.master.closedWith, 4400);

  const gone = memoryWires();
  const waiting = acceptMinion(gone.master.wire, acceptOptions);
  gone.minion.wire.close(1000);
  await t.throwsAsync(waiting, { code: 'HANDSHAKE_FAILED', message: /closed the connection/u });
});

test('a minion that says nothing is not waited for long', async (t) => {
  const wires = memoryWires();
  const limits = { m1Ms: 50, m3Ms: 50 };
  await t.throwsAsync(acceptMinion(wires.master.wire, { ...acceptOptions, limits }), {
    code: 'HANDSHAKE_FAILED',
    message: /too long/u,
  });
  t.is(wires.master.closedWith, 4400);
});

test('a handshake comes to its end over a link on which each message takes two seconds', async (t) => {
  const wires = memoryWires({ delayMs: 2_100 });
  const [accepted, connected] = await Promise.all([
    acceptMinion(wires.master.wire, acceptOptions),
    connectMaster(wires.minion.wire, connectOptions),
  ]);
  t.is(accepted.verdict.verdict, 'accepted');
  t.is(connected.verdict, 'accepted');
  wires.master.wire.terminate();
});

test('over a real websocket a session works, and a text frame closes it with 1003', async (t) => {
  const server = createServer();
  const websockets = new WebSocketServer({ server, ...WEBSOCKET_LIMITS });
  const accepting = new Promise<Awaited<ReturnType<typeof acceptMinion>>>((resolve, reject) => {
    websockets.once('connection', (socket) => {
      acceptMinion(wireOf(socket), acceptOptions).then(resolve, reject);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') return t.fail();
  const socket = new WebSocket(`ws://127.0.0.1:${address.port}`, WEBSOCKET_LIMITS);
  const wire = wireOf(socket);
  await once(socket, 'open');
  const [{ channel: master }, { channel: minion }] = await Promise.all([
    accepting,
    connectMaster(wire, connectOptions),
  ]);
  const got = new Promise<MinionMessage>((resolve) => {
    master?.listen(resolve);
  });
  await minion?.send(big(300_000));
  t.is((await got).type, 'facts');
  await minion?.close('done');
  t.like(await master?.ended, { reason: 'done', by: 'them' });

  websockets.once('connection', (other) => {
    wireOf(other);
  });
  const texter = new WebSocket(`ws://127.0.0.1:${address.port}`);
  await once(texter, 'open');
  texter.send('hello');
  const [code]: unknown[] = await once(texter, 'close');
  t.is(code, 1003);
  websockets.close();
  return server.close();
});
