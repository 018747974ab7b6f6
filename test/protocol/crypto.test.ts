import test from 'ava';
import fc from 'fast-check';
import { areEqual, concat, fromHex, readerOf, toHex, u16, u32, u64 } from '../../protocol/bytes.ts';
import { openChaCha, sealChaCha } from '../../protocol/chacha20-poly1305.ts';
import { isSoundPublicKey, sharedSecret, verifies } from '../../protocol/checks.ts';
import { hkdf } from '../../protocol/key-schedule.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { sha256 } from '../../protocol/sha256.ts';
import { tweetnaclCrypto } from '../../protocol/tweetnacl-crypto.ts';

const both = [nodeCrypto, tweetnaclCrypto];
const bytes = fc.uint8Array({ maxLength: 600 });
const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** Runs a property in both implementations and compares what comes out. */
function agree(
  run: (crypto: (typeof both)[number], text: Uint8Array, secret: Uint8Array) => Uint8Array,
) {
  fc.assert(
    fc.property(bytes, key, (text, secret) => {
      const [first, second] = both.map((crypto) => toHex(run(crypto, text, secret)));
      return first === second;
    }),
    { numRuns: 12 },
  );
}

test('both implementations hash, sign and agree on the same bytes', (t) => {
  agree((crypto, text) => crypto.sha256(text));
  agree((crypto, text) => crypto.sha512(text));
  agree((crypto, text, secret) => crypto.hmacSha512(concat(secret, text), text));
  agree((crypto, text, secret) => crypto.sign(text, crypto.signingKey(secret)));
  agree((crypto, _text, secret) => crypto.dhPublicKey(secret));
  agree((crypto, _text, secret) => crypto.dhUnchecked(secret, crypto.dhPublicKey(secret)));
  agree((crypto, text, secret) => crypto.seal(secret, 2n ** 40n, text));
  agree((crypto, text, secret) => hkdf(crypto, secret, text, { info: 'x', length: 160 }));
  t.not(toHex(nodeCrypto.random(32)), toHex(nodeCrypto.random(32)));
  t.is(tweetnaclCrypto.random(8).length, 8);
});

test('what one implementation has sealed or signed, the other opens and believes', (t) => {
  const isBelieved = fc.property(bytes, key, (text, secret) => {
    const signer = nodeCrypto.signingKey(secret);
    const opened = tweetnaclCrypto.open(secret, 3n, nodeCrypto.seal(secret, 3n, text));
    const back = nodeCrypto.open(secret, 3n, tweetnaclCrypto.seal(secret, 3n, text));
    return (
      opened !== null &&
      back !== null &&
      areEqual(opened, text) &&
      areEqual(back, text) &&
      verifies(tweetnaclCrypto, text, nodeCrypto.sign(text, signer), signer.publicKey) &&
      verifies(nodeCrypto, text, tweetnaclCrypto.sign(text, signer), signer.publicKey)
    );
  });
  t.notThrows(() => fc.assert(isBelieved, { numRuns: 8 }));
});

test('a sealed text does not open with another key, counter or byte, or cut short', (t) => {
  const secret = new Uint8Array(32).fill(1);
  const text = fromHex('00112233');
  for (const crypto of both) {
    const sealed = crypto.seal(secret, 5n, text);
    t.is(crypto.open(secret, 6n, sealed), null);
    t.is(crypto.open(new Uint8Array(32), 5n, sealed), null);
    t.is(crypto.open(secret, 5n, sealed.slice(0, -1)), null);
    t.is(crypto.open(secret, 5n, new Uint8Array(3)), null);
    for (const index of sealed.keys()) {
      const changed = sealed.map((byte, at) => (at === index ? byte ^ 0x80 : byte));
      t.is(crypto.open(secret, 5n, changed), null, `byte ${index}`);
    }
  }
});

test('ChaCha20-Poly1305 and SHA-256 give what their standards print', (t) => {
  const text = "Ladies and Gentlemen of the class of '99";
  const sealed = sealChaCha(new Uint8Array(32).fill(0x80), 7n, new TextEncoder().encode(text));
  t.is(
    new TextDecoder().decode(openChaCha(new Uint8Array(32).fill(0x80), 7n, sealed) ?? undefined),
    text,
  );
  t.is(
    toHex(sha256(new Uint8Array())),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
  t.is(
    toHex(sha256(new TextEncoder().encode('abc'))),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];

test('a signature that a small-order key makes valid for a stranger is refused', (t) => {
  // R is the neutral point and S is 0: for such a key one message in eight fits at the latest.
  const signature = concat(Uint8Array.of(1), new Uint8Array(63));
  for (const point of SMALL_ORDER.map(fromHex)) {
    t.false(isSoundPublicKey(point));
    const messages = Array.from({ length: 400 }, (_, index) => u32(index));
    const fits = messages.find((text) => nodeCrypto.verifyUnchecked(text, signature, point));
    t.truthy(fits, `no library takes ${toHex(point)}`);
    for (const crypto of both) {
      t.true(crypto.verifyUnchecked(fits ?? point, signature, point));
      t.false(verifies(crypto, fits ?? point, signature, point));
    }
  }
});

test('a key in a second encoding, or of a wrong length, is refused', (t) => {
  const p = 2n ** 255n - 19n;
  for (const y of [p, p + 1n, p + 5n, 2n ** 255n - 1n]) {
    t.false(isSoundPublicKey(littleEndian(y)), 'not canonical');
    t.false(isSoundPublicKey(littleEndian(y | (1n << 255n))), 'not canonical, with the sign');
  }
  t.true(
    isSoundPublicKey(littleEndian(p - 2n)),
    'canonical, large order or no point: the library decides',
  );
  const { publicKey } = nodeCrypto.signingKey(new Uint8Array(32).fill(5));
  t.true(isSoundPublicKey(publicKey));
  t.false(isSoundPublicKey(publicKey.slice(1)));
  t.false(isSoundPublicKey(concat(publicKey, u16(0))));
});

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 255n));
}

test('a signature in its second form (S + L) is refused, though a library takes it', (t) => {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const signer = nodeCrypto.signingKey(new Uint8Array(32).fill(6));
  const text = fromHex('aabb');
  const signature = nodeCrypto.sign(text, signer);
  const s = signature.slice(32).reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
  const second = concat(signature.slice(0, 32), littleEndian(s + L));
  t.true(tweetnaclCrypto.verifyUnchecked(text, second, signer.publicKey));
  for (const crypto of both) {
    t.true(verifies(crypto, text, signature, signer.publicKey));
    t.false(verifies(crypto, text, second, signer.publicKey));
    t.false(verifies(crypto, text, signature.slice(1), signer.publicKey));
  }
});

test('a shared secret that the other side chose alone is refused', (t) => {
  const secret = new Uint8Array(32).fill(9);
  const low = [
    new Uint8Array(32),
    concat(Uint8Array.of(1), new Uint8Array(31)),
    fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
    fromHex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
    fromHex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
  ];
  for (const crypto of both) {
    for (const point of low) t.is(sharedSecret(crypto, secret, point), null, toHex(point));
    t.is(sharedSecret(crypto, secret, crypto.dhPublicKey(secret))?.length, 32);
  }
});

test('numbers are written big endian and read back, and nothing may be missing or left', (t) => {
  const reader = readerOf(concat(u16(0xabcd), u32(0xdeadbeef), u64(2n ** 63n), Uint8Array.of(7)));
  t.is(reader.u16(), 0xabcd);
  t.is(reader.u32(), 0xdeadbeef);
  t.is(reader.u64(), 2n ** 63n);
  t.throws(() => reader.end(), { code: 'MESSAGE_INVALID' });
  t.is(reader.u8(), 7);
  reader.end();
  t.throws(() => reader.u8(), { code: 'MESSAGE_INVALID', message: /cut short/u });
});
