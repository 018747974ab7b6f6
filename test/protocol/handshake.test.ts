import test from 'ava';
import { toHex } from '../../protocol/bytes.ts';
import { makeCertificate } from '../../protocol/certificate.ts';
import type { Crypto } from '../../protocol/crypto.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import { answerMinion } from '../../protocol/master-handshake.ts';
import { startMinionHandshake } from '../../protocol/minion-handshake.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { tweetnaclCrypto } from '../../protocol/tweetnacl-crypto.ts';
const seed = (b: number) => new Uint8Array(32).fill(b);
for (const [name, crypto] of [
  ['node', nodeCrypto],
  ['tweetnacl', tweetnaclCrypto],
] as [string, Crypto][])
  test(`x ${name}`, (t) => {
    const root = crypto.signingKey(seed(0x11));
    const master = crypto.signingKey(seed(0x22));
    const minion = crypto.signingKey(seed(0x33));
    const certificate = makeCertificate(crypto, root, master.publicKey, 1n);
    t.is(toHex(root.publicKey), 'd04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737');
    const i = startMinionHandshake(
      {
        crypto,
        pin: fingerprintOf(crypto, root.publicKey),
        minimumSerial: 1n,
        id: 'web-01',
        identity: minion,
      },
      { ephemeral: seed(0x44), nonce: seed(0x66) },
    );
    t.is(
      toHex(i.m1),
      `434452310101010101ff2ee45601ec1b67310c7790404585ae697331eee1c1f8cf2419731c1fff3e6b${'66'.repeat(32)}10ba682c8ad13513`,
    );
    const r = answerMinion({ crypto, certificate, identity: master }, i.m1, {
      ephemeral: seed(0x55),
      nonce: seed(0x77),
    });
    t.is(
      toHex(crypto.sha256(r.m2)),
      '4a6eaa4a6a1aed4075c8efcfe5232bfaf8e9c9979c10a91ac03e5e4f59eb37b1',
    );
    const a = i.answer(r.m2);
    t.is(
      toHex(crypto.sha256(a.m3)),
      '25d6bfeb7f8ee3928ca21fc76235fc22ea887f76f42455297b3abfa19592897f',
    );
    const f = r.finish(a.m3);
    t.is(toHex(f.keys.id), '2fad1a99fa2c1d089b5bb5bb77f0977f176033d354c1c4533076f54f375936cd');
    t.deepEqual(f.keys, a.keys);
    t.is(f.claim.id, 'web-01');
  });
