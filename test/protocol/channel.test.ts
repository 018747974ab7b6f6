import test from 'ava';
import { makeCertificate } from '../../protocol/certificate.ts';
import { acceptMinion, connectMaster } from '../../protocol/connect.ts';
import type { AcceptOptions, ConnectOptions } from '../../protocol/connect.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import type { MasterMessage, MinionMessage } from '../../protocol/messages.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { memoryWires } from './memory-wires.ts';
import type { Tampering } from './memory-wires.ts';

const crypto = nodeCrypto;
const seed = (byte: number) => new Uint8Array(32).fill(byte);
const root = crypto.signingKey(seed(1));
const identity = crypto.signingKey(seed(2));
const certificate = makeCertificate(crypto, root, identity.publicKey, 1n);

async function session({
  accept = {},
  connect = {},
  ...tampering
}: { accept?: Partial<AcceptOptions>; connect?: Partial<ConnectOptions> } & Tampering = {}) {
  const wires = memoryWires(tampering);
  const accepting = acceptMinion(wires.master.wire, {
    crypto,
    certificate,
    identity,
    decide: () => ({ verdict: 'accepted' }),
    ...accept,
  });
  const connecting = connectMaster(wires.minion.wire, {
    crypto,
    pin: fingerprintOf(crypto, root.publicKey),
    minimumSerial: 0n,
    id: 'web-01',
    identity: crypto.signingKey(seed(3)),
    ...connect,
  });
  const [accepted, connected] = await Promise.all([accepting, connecting]);
  if (accepted.channel === null || connected.channel === null) throw new Error('not accepted');
  return { ...wires, accepted, connected, master: accepted.channel, minion: connected.channel };
}

test('messages of every size cross in both directions', async (t) => {
  const { master, minion } = await session();
  const got: MinionMessage[] = [];
  const both = new Promise<void>((resolve) => {
    master.listen((message) => {
      got.push(message);
      if (got.length === 2) resolve();
    });
  });
  const answers = new Promise<MasterMessage>((resolve) => {
    minion.listen(resolve);
  });
  const facts = { text: 'x'.repeat(500_000) };
  void minion.send({ type: 'facts', facts });
  void minion.send({ type: 'pong', request: 7 });
  await both;
  t.deepEqual(got, [
    { type: 'pong', request: 7 },
    { type: 'facts', facts },
  ]);
  await master.send({ type: 'ping', request: 8 });
  t.deepEqual(await answers, { type: 'ping', request: 8 });
  await master.close('restarting');
  t.like(await minion.ended, { reason: 'restarting', by: 'them' });
  t.like(await master.ended, { reason: 'restarting', by: 'us' });
  await t.throwsAsync(minion.send({ type: 'pong', request: 9 }), { code: 'CHANNEL_CLOSED' });
});
