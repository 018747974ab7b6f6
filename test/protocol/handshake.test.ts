import test from 'ava';
import { concat, fromHex, toHex, utf8 } from '../../protocol/bytes.ts';
import { isSignedByRoot, makeCertificate, readCertificate } from '../../protocol/certificate.ts';
import { sharedSecret } from '../../protocol/checks.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { digestOfFingerprint, fingerprintOf } from '../../protocol/fingerprint.ts';
import {
  M1_MAXIMUM,
  M2_HEAD_LENGTH,
  decodeM1,
  decodeM3,
  encodeM1,
} from '../../protocol/handshake-messages.ts';
import type { Hello } from '../../protocol/handshake-messages.ts';
import { hkdf, mix, partKeys, sessionKeys, startTranscript } from '../../protocol/key-schedule.ts';
import { answerMinion } from '../../protocol/master-handshake.ts';
import type { Claim } from '../../protocol/master-handshake.ts';
import { startMinionHandshake } from '../../protocol/minion-handshake.ts';
import type { MinionSide } from '../../protocol/minion-handshake.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { createSealer } from '../../protocol/records.ts';
import { tweetnaclCrypto } from '../../protocol/tweetnacl-crypto.ts';
import { ConductorError } from '../../shared/errors.ts';

const IMPLEMENTATIONS: readonly [string, Crypto][] = [
  ['node:crypto', nodeCrypto],
  ['tweetnacl', tweetnaclCrypto],
];

/** 32 equal bytes, anew each time: the handshake erases what it is given. */
const seed = (byte: number) => new Uint8Array(32).fill(byte);

interface Chances {
  readonly minion: { ephemeral: Uint8Array; nonce: Uint8Array };
  readonly master: { ephemeral: Uint8Array; nonce: Uint8Array };
}

function known(): Chances {
  return {
    minion: { ephemeral: seed(0x44), nonce: seed(0x66) },
    master: { ephemeral: seed(0x55), nonce: seed(0x77) },
  };
}

function keysOf(crypto: Crypto) {
  const [root, master, minion] = [0x11, 0x22, 0x33].map((byte) => crypto.signingKey(seed(byte)));
  if (root === undefined || master === undefined || minion === undefined)
    throw new Error('no keys');
  const certificate = makeCertificate(crypto, root, master.publicKey, 1n);
  return { root, master, minion, certificate, pin: fingerprintOf(crypto, root.publicKey) };
}

interface Relay {
  readonly m1?: (bytes: Uint8Array) => Uint8Array;
  readonly m2?: (bytes: Uint8Array) => Uint8Array;
  readonly m3?: (bytes: Uint8Array) => Uint8Array;
}

interface Setting {
  readonly crypto?: Crypto;
  readonly minion?: Partial<MinionSide>;
  readonly certificate?: Uint8Array;
  readonly relay?: Relay;
  readonly chances?: Chances;
}

const same = (bytes: Uint8Array) => bytes;

/** A whole handshake through a relay that may do what it wants. */
function shake({ crypto = nodeCrypto, relay = {}, chances, ...setting }: Setting = {}) {
  const keys = keysOf(crypto);
  const minion = startMinionHandshake(
    {
      crypto,
      pin: keys.pin,
      minimumSerial: 1n,
      id: 'web-01',
      identity: keys.minion,
      ...setting.minion,
    },
    ...(chances === undefined ? [] : [chances.minion]),
  );
  const certificate = setting.certificate ?? keys.certificate;
  const master = answerMinion(
    { crypto, certificate, identity: keys.master },
    (relay.m1 ?? same)(minion.m1),
    ...(chances === undefined ? [] : [chances.master]),
  );
  const answer = minion.answer((relay.m2 ?? same)(master.m2));
  const { claim, keys: masterKeys } = master.finish((relay.m3 ?? same)(answer.m3));
  return { m1: minion.m1, m2: master.m2, m3: answer.m3, answer, claim, masterKeys };
}

const failed = { code: 'HANDSHAKE_FAILED' };

for (const [name, crypto] of IMPLEMENTATIONS) {
  test(`${name} gives every value of the known-answer test`, (t) => {
    const { root, master, minion } = keysOf(crypto);
    t.is(toHex(root.publicKey), 'd04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737');
    t.is(
      toHex(master.publicKey),
      'a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0',
    );
    t.is(
      toHex(minion.publicKey),
      '17cb79fb2b4120f2b1ec65e4198d6e08b28e813feb01e4a400839b85e18080ce',
    );

    const { m1, m2, m3, answer, masterKeys } = shake({ crypto, chances: known() });
    t.is(
      toHex(m1),
      `434452310101010101ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b${'66'.repeat(32)}10ba682c8ad13513`,
    );
    t.is(
      toHex(m2.slice(0, M2_HEAD_LENGTH + 2)),
      `4344523102010138ab664bd86f77d7e66bdd9ae0792913a94fd8b33a1260027e4b46c1f4884c67${'77'.repeat(32)}0118`,
    );
    t.is(
      toHex(crypto.sha256(m2)),
      '4a6eaa4a6a1aed4075c8efcfe5232bfaf8e9c9979c10a91ac03e5e4f59eb37b1',
    );
    t.is(
      toHex(crypto.sha256(m3)),
      '25d6bfeb7f8ee3928ca21fc76235fc22ea887f76f42455297b3abfa19592897f',
    );

    const { th1, hs, th4, th7 } = transcripts(crypto, { m1, m2, m3 });
    t.is(
      toHex(th1),
      '949eeb44e96ee82fa71b43f8fe2e24d1baf381c658e2ebf51d3a300062b896c6cb282add2043124486bf176c3247b8798d6feeeabbf2eb6a5ae2c6743b3d4677',
    );
    t.is(
      toHex(hs),
      'dc61e7308647726197dcb2d8c8700097ef255fe647d0af988804d3d8b7ada6ae3bef5c4f2911fb01f5fe566b113836987379a0c6c6fbdaea011cfe375ee382ba',
    );
    t.is(
      toHex(th4),
      '53e76f809614aa5f2b04023a1b3576dbb6d61864b59f42a8bbd736fed3b7815cb9e8b602e219765fd251a7633f8ddaf898b87c9e77c3c44925818b42c632d323',
    );
    t.is(
      toHex(th7),
      'bb21a1f42566fd219d3a5aba162759354f240cc0711048da2a351cbb4b49b66a3d98b755d8c72b28f2707edce8813b7c7529550750e63fe33e01670fb98ccbe3',
    );

    for (const keys of [answer.keys, masterKeys, sessionKeys(crypto, hs, th7)]) {
      t.is(
        toHex(keys.toMaster),
        'a049eeb0461d8f9bd8b9eba5563375fe24243c944f544e95df22641306e86dda1601dcbfe4a00f1f68f07e0142878888de26b6b5d6b1603ec5789d9021db2297',
      );
      t.is(
        toHex(keys.toMinion),
        '5c63f02c124e2673fef21ebe0007579b7c14817eb743e506a075ed40917d605911bd5c6c999fcb8db46af2c36640c4ad7a4c67c9ffd7e3d68634882880088bef',
      );
      t.is(toHex(keys.id), '2fad1a99fa2c1d089b5bb5bb77f0977f176033d354c1c4533076f54f375936cd');
    }
    const key0 = hkdf(crypto, answer.keys.toMaster, new Uint8Array(), {
      info: 'cdr1 key',
      length: 32,
    });
    t.is(toHex(key0), '2d19f2d106153bc93a037908e9ffbd4d301080b6864165366915f5826659e0de');
    const [record] = createSealer(crypto, answer.keys.toMaster).seal(fromHex('20616263'));
    t.is(toHex(record ?? seed(0)), '6510789e8de6e96494c1e540a6f035771c49fc08');
  });
}

/** Follows the handshake from outside, with the private ephemeral of the minion. */
function transcripts(
  crypto: Crypto,
  { m1, m2, m3 }: { m1: Uint8Array; m2: Uint8Array; m3: Uint8Array },
) {
  const dh = sharedSecret(crypto, seed(0x44), m2.slice(7, 39)) ?? seed(0);
  const th1 = mix(crypto, mix(crypto, startTranscript(crypto), m1), m2.slice(0, M2_HEAD_LENGTH));
  const hs = hkdf(crypto, dh, th1, { info: 'cdr1 hs', length: 64 });
  const r = crypto.open(partKeys(crypto, hs, th1, 'r').seal, 0n, m2.slice(M2_HEAD_LENGTH + 2));
  const th4 = [r?.slice(0, 136), r?.slice(136, 200), r?.slice(200)].reduce<Uint8Array>(
    (th, part) => mix(crypto, th, part ?? seed(0)),
    th1,
  );
  const i = crypto.open(partKeys(crypto, hs, th4, 'i').seal, 0n, decodeM3(m3)) ?? seed(0);
  const id = i.slice(0, -128);
  const th7 = [id, i.slice(-128, -64), i.slice(-64)].reduce(
    (th, part) => mix(crypto, th, part),
    th4,
  );
  return { th1, hs, th4, th7 };
}

test('a minion and a master of different implementations understand each other', (t) => {
  const { root, master, minion, certificate, pin } = keysOf(nodeCrypto);
  t.truthy(root);
  const ours = startMinionHandshake({
    crypto: tweetnaclCrypto,
    pin,
    minimumSerial: 0n,
    id: 'a',
    identity: minion,
  });
  const theirs = answerMinion({ crypto: nodeCrypto, certificate, identity: master }, ours.m1);
  const answer = ours.answer(theirs.m2);
  t.deepEqual(theirs.finish(answer.m3).keys, answer.keys);
});

/** A small generator with a seed (mulberry32): the same bytes are changed in every run. */
function numbers(start: number): (limit: number) => number {
  let state = start;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** Changes one byte of a message, which one and to what `next` says. */
function withChangedByte(next: (limit: number) => number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => {
    const changed = Uint8Array.from(bytes);
    const index = next(bytes.length);
    changed[index] = (changed[index] ?? 0) ^ (1 + next(255));
    return changed;
  };
}

function isRefused(relay: Relay): boolean {
  try {
    shake({ relay });
    return false;
  } catch (error) {
    return error instanceof ConductorError;
  }
}

test('1,000 random single-byte changes to each message of the handshake are all refused', (t) => {
  const change = withChangedByte(numbers(20_260_101));
  for (const message of ['m1', 'm2', 'm3'] as const) {
    const rounds = Array.from({ length: 1000 }, () => isRefused({ [message]: change }));
    t.is(rounds.filter(Boolean).length, 1000, message);
  }
});

test('messages that are cut short, longer, of another kind or of another protocol are refused', (t) => {
  const { m1, m2, m3 } = shake();
  for (const message of ['m1', 'm2', 'm3'] as const) {
    const changes = [
      () => new Uint8Array(),
      (bytes: Uint8Array) => bytes.slice(0, -1),
      (bytes: Uint8Array) => concat(bytes, Uint8Array.of(0)),
      (bytes: Uint8Array) => concat(bytes, new Uint8Array(2000)),
      (bytes: Uint8Array) => concat(utf8('CDR2'), bytes.slice(4)),
      () => m1,
      () => m2,
      () => m3,
    ];
    for (const change of changes) {
      // A fresh handshake that gets an old message: replay, and reflection of one's own.
      t.throws(() => shake({ relay: { [message]: change } }), undefined, message);
    }
  }
  t.throws(() => decodeM1(new Uint8Array(M1_MAXIMUM + 1)), failed);
});

test("a minion's own message does not come back to it as an answer", (t) => {
  const { minion, pin } = keysOf(nodeCrypto);
  const start = { crypto: nodeCrypto, pin, minimumSerial: 0n, id: 'a', identity: minion };
  const ours = startMinionHandshake(start);
  t.throws(() => ours.answer(ours.m1), failed);
});

function withoutPin(m1: Uint8Array): Uint8Array {
  return concat(m1.slice(0, -8), new Uint8Array(8));
}

test('a master with another root key than the pinned one is refused, and never learns the id', (t) => {
  const stranger = fingerprintOf(nodeCrypto, nodeCrypto.signingKey(seed(0x99)).publicKey);
  t.throws(() => shake({ minion: { pin: stranger } }), { ...failed, message: /pinned another/u });
  // One that pretends not to care is found out by the certificate.
  const tampered = { minion: { pin: stranger }, relay: { m1: withoutPin } };
  t.throws(() => shake(tampered), failed);

  const { master, certificate, minion } = keysOf(nodeCrypto);
  const side = { crypto: nodeCrypto, pin: null, minimumSerial: 0n, id: 'a', identity: minion };
  const first = startMinionHandshake(side);
  const m2 = answerMinion({ crypto: nodeCrypto, certificate, identity: master }, first.m1).m2;
  t.is(first.answer(m2).certificate.serial, 1n, 'a minion without a pin takes it');
  t.throws(() => startMinionHandshake({ ...side, pin: 'cdr1:nonsense' }), failed);
});

test('a certificate that is older than one seen, or not signed by its root, is refused', (t) => {
  t.throws(() => shake({ minion: { minimumSerial: 2n } }), { ...failed, message: /serial 1.*2/u });
  const { root, master, minion, certificate } = keysOf(nodeCrypto);
  const forged = Uint8Array.from(certificate);
  forged[71] = 9;
  t.throws(() => shake({ certificate: forged }), {
    ...failed,
    message: /root key has not signed/u,
  });
  const other = makeCertificate(nodeCrypto, root, minion.publicKey, 1n);
  t.throws(() => shake({ certificate: other }), { ...failed, message: /does not hold the key/u });
  const newer = makeCertificate(nodeCrypto, root, master.publicKey, 2n ** 64n - 1n);
  t.is(shake({ certificate: newer }).answer.certificate.serial, 2n ** 64n - 1n);
  t.true(isSignedByRoot(nodeCrypto, newer));
  t.throws(() => readCertificate(newer.slice(1)), { code: 'MESSAGE_INVALID' });
});

function offering(change: Partial<Hello>): (m1: Uint8Array) => Uint8Array {
  return (m1) => encodeM1({ ...decodeM1(m1), ...change });
}

function only(change: Partial<Hello>): Setting {
  return { relay: { m1: offering(change) } };
}

function with2At(index: number): (m2: Uint8Array) => Uint8Array {
  return (m2) => m2.map((byte, at) => (at === index ? 2 : byte));
}

function withZeroPoint(offset: number): (bytes: Uint8Array) => Uint8Array {
  return (bytes) => concat(bytes.slice(0, offset), new Uint8Array(32), bytes.slice(offset + 32));
}

test('a relay cannot talk the two sides into another version or suite', (t) => {
  t.throws(() => shake(only({ versions: [9] })), { ...failed, message: /no version known/u });
  t.throws(() => shake(only({ suites: [9] })), { ...failed, message: /no suite known/u });
  t.throws(() => shake(only({ versions: [] })), failed);
  // An offer that still holds what both know is found out by the transcript.
  t.throws(() => shake(only({ versions: [1, 2] })), failed);
  t.throws(() => shake(only({ suites: [1, 0] })), failed);
  t.throws(() => shake({ minion: { minimumVersion: 2 } }), { ...failed, message: /version 1/u });
  t.throws(() => shake({ relay: { m2: with2At(5) } }), { ...failed, message: /version 2/u });
  t.throws(() => shake({ relay: { m2: with2At(6) } }), { ...failed, message: /suite/u });
});

test('a key exchange that gives nothing secret is refused on both sides', (t) => {
  for (const [, crypto] of IMPLEMENTATIONS) {
    t.throws(() => shake({ crypto, relay: { m1: withZeroPoint(9) } }), {
      ...failed,
      message: /nothing secret/u,
    });
    t.throws(() => shake({ crypto, relay: { m2: withZeroPoint(7) } }), {
      ...failed,
      message: /nothing secret/u,
    });
  }
});

function joining(secret: Uint8Array): Claim {
  return shake({ minion: { join: { tokenId: seed(7).slice(0, 16), secret } } }).claim;
}

test('a join proof is one of the right secret, for this handshake alone', (t) => {
  const claim = joining(seed(8));
  t.deepEqual(claim.join?.tokenId, seed(7).slice(0, 16));
  t.true(claim.join?.proves(nodeCrypto.sha256(seed(8))));
  t.false(claim.join?.proves(nodeCrypto.sha256(seed(9))));
  t.is(shake().claim.join, null);
  t.is(shake().claim.id, 'web-01');
});

test('an id that is none, unknown flags and an unsound key are refused', (t) => {
  t.throws(() => shake({ minion: { id: 'No Id' } }), { ...failed, message: /gives an id/u });
  t.throws(() => shake({ minion: { id: '../x' } }), { ...failed, message: /gives an id/u });
  const identity = nodeCrypto.signingKey(seed(3));
  const small = { ...identity, publicKey: concat(Uint8Array.of(1), new Uint8Array(31)) };
  t.throws(() => shake({ minion: { identity: small } }), {
    ...failed,
    message: /key that is none/u,
  });
  const other = { ...identity, publicKey: nodeCrypto.signingKey(seed(4)).publicKey };
  t.throws(() => shake({ minion: { identity: other } }), { ...failed, message: /does not hold/u });
});

test('a fingerprint is the hash of one key, and nothing that only looks like it', (t) => {
  const { publicKey } = nodeCrypto.signingKey(seed(1));
  const fingerprint = fingerprintOf(nodeCrypto, publicKey);
  t.regex(fingerprint, /^cdr1:[a-z2-7]{52}$/u);
  t.deepEqual(digestOfFingerprint(fingerprint), nodeCrypto.sha256(publicKey));
  // The last letter holds one bit only: any other letter is another spelling of the same bytes.
  const last = fingerprint.slice(-1) === 'b' ? 'c' : 'b';
  t.is(digestOfFingerprint(`${fingerprint.slice(0, -1)}${last}`), null);
  t.is(digestOfFingerprint(fingerprint.slice(0, -1)), null);
  t.is(digestOfFingerprint(fingerprint.toUpperCase()), null);
});
