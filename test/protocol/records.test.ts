import test from 'ava';
import { concat, u32, u8, utf8 } from '../../protocol/bytes.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { PLAINTEXT_MAXIMUM, RECORD, createOpener, createSealer } from '../../protocol/records.ts';
import {
  SINGLE_RECORD_MAXIMUM,
  STREAMS_AT_ONCE,
  chunksOf,
  createAssembler,
} from '../../protocol/streams.ts';
import { decodeVerdict, encodeVerdict } from '../../protocol/verdict.ts';

const secret = () => new Uint8Array(64).fill(3);
const invalid = { code: 'MESSAGE_INVALID' };
const text = (value: number) => Uint8Array.of(RECORD.message, value);

function pair(life?: { records: number; bytes: number; milliseconds: number }, now = () => 0) {
  const options = life === undefined ? {} : { life };
  return {
    sealer: createSealer(nodeCrypto, secret(), { ...options, now }),
    opener: createOpener(nodeCrypto, secret(), options),
  };
}

test('records open in their order, and each only once', (t) => {
  const { sealer, opener } = pair();
  const [first, second, third] = [1, 2, 3].flatMap((value) => sealer.seal(text(value)));
  if (first === undefined || second === undefined || third === undefined) return t.fail();
  t.deepEqual(opener.open(first), text(1));
  t.throws(() => opener.open(first), invalid, 'replayed');
  t.throws(() => opener.open(third), invalid, 'one left out');
  t.deepEqual(opener.open(second), text(2));
  return t.deepEqual(opener.open(third), text(3));
});

test('a record that is empty, too large or of the other direction does not open', (t) => {
  const { sealer, opener } = pair();
  const other = createSealer(nodeCrypto, new Uint8Array(64).fill(4));
  for (const record of other.seal(text(1))) t.throws(() => opener.open(record), invalid);
  t.throws(() => opener.open(new Uint8Array(PLAINTEXT_MAXIMUM + 17)), invalid);
  t.throws(() => sealer.seal(new Uint8Array(PLAINTEXT_MAXIMUM + 1)), { instanceOf: RangeError });
  for (const record of sealer.seal(new Uint8Array())) t.throws(() => opener.open(record), invalid);
  const whole = pair();
  for (const record of whole.sealer.seal(new Uint8Array(PLAINTEXT_MAXIMUM).fill(0x21)))
    t.is(whole.opener.open(record)?.length, PLAINTEXT_MAXIMUM);
});

test('a key that has done enough is replaced, by number, by size and by age', (t) => {
  const lives = [
    { records: 2, bytes: 1e9, milliseconds: 1e9 },
    { records: 1000, bytes: 40, milliseconds: 1e9 },
    { records: 1000, bytes: 1e9, milliseconds: 15 },
  ];
  for (const life of lives) {
    let clock = 0;
    const { sealer } = pair(life, () => clock);
    const opener = createOpener(nodeCrypto, secret());
    let rekeys = 0;
    for (let value = 0; value < 20; value += 1) {
      clock += 10;
      const records = sealer.seal(text(value));
      const opened = records.map((record) => opener.open(record));
      t.deepEqual(opened.at(-1), text(value));
      rekeys += records.length - 1;
    }
    t.true(rekeys >= 6 && rekeys < 20, `${rekeys} rekeys`);
  }
});

test('a peer that wears its key out is not listened to any more', (t) => {
  const life = { records: 3, bytes: 1e9, milliseconds: 1e9 };
  const opener = createOpener(nodeCrypto, secret(), { life });
  const sealer = createSealer(nodeCrypto, secret());
  const records = Array.from({ length: 5 }, () => sealer.seal(text(1))).flat();
  for (const record of records.slice(0, 4)) opener.open(record);
  t.throws(() => opener.open(records[4] ?? text(0)), { ...invalid, message: /replaced/u });
});

const caps = { report: 1_000_000, small: 10 };
const chunk = (stream: number, kind: number, bytes: Uint8Array) =>
  concat(u32(stream), u8(kind), bytes);
const opening = (size: number, type: string) => concat(u32(size), utf8(type));

function chunks(stream: number, body: Uint8Array): Uint8Array[] {
  return [...chunksOf(stream, 'report', body)].map((record) => record.slice(1));
}

test('a body of any size is put together again, also among others', (t) => {
  const bodies = [1, SINGLE_RECORD_MAXIMUM, SINGLE_RECORD_MAXIMUM + 1, 200_000].map((size, fill) =>
    new Uint8Array(size).fill(fill),
  );
  const assembler = createAssembler(caps);
  const streams = bodies.map((body, number) => chunks(number, body));
  const got: Uint8Array[] = [];
  for (let turn = 0; turn < 8; turn += 1) {
    for (const stream of streams) {
      const next = stream[turn];
      const whole = next === undefined ? null : assembler.take(next);
      if (whole !== null) got.push(whole.body);
    }
  }
  t.deepEqual(
    got.map((body) => body.length),
    bodies.map((body) => body.length),
  );
  t.is(assembler.open, 0);
});

test('a stream that is too large, too many, out of turn or not what it declared is refused', (t) => {
  const body = new Uint8Array(100).fill(1);
  const damaged = chunks(0, body);
  damaged[1] = (damaged[1] ?? body).map((byte, index) => (index === 50 ? 9 : byte));
  const cases: [string, Uint8Array[], RegExp][] = [
    ['over its cap', [chunk(0, 1, opening(11, 'small'))], /11 bytes are too many/u],
    [
      'of an unknown type',
      [chunk(0, 1, opening(1, 'constructor'))],
      /too many for a "constructor"/u,
    ],
    ['never opened', [chunk(0, 0, body)], /never opened/u],
    [
      'opened twice',
      [chunk(0, 1, opening(5, 'small')), chunk(0, 1, opening(5, 'small'))],
      /number/u,
    ],
    ['a later number', [chunk(1, 1, opening(5, 'small'))], /number/u],
    ['more than declared', [chunk(0, 1, opening(5, 'small')), chunk(0, 0, body)], /another size/u],
    ['less than declared', [chunk(0, 1, opening(5, 'small')), chunk(0, 2, body)], /another size/u],
    ['an empty chunk', [chunk(0, 1, opening(5, 'small')), chunk(0, 0, new Uint8Array())], /size/u],
    ['of an unknown kind', [chunk(0, 1, opening(5, 'small')), chunk(0, 7, body)], /unknown kind/u],
    ['with another hash', damaged, /hash is wrong/u],
    [
      'one too many at once',
      Array.from({ length: STREAMS_AT_ONCE + 1 }, (_, number) =>
        chunk(number, 1, opening(5, 'small')),
      ),
      /at once/u,
    ],
  ];
  for (const [name, records, message] of cases) {
    const assembler = createAssembler(caps);
    const feed = () => {
      for (const record of records) assembler.take(record);
    };
    t.throws(feed, { ...invalid, message }, name);
  }
});

test('a minion cannot tell the refusals apart, and learns when to come back', (t) => {
  const told = (['accepted', 'pending', 'denied', 'rejected'] as const).map((verdict) =>
    decodeVerdict(encodeVerdict({ verdict, retrySeconds: 77 })),
  );
  t.deepEqual(told, [
    { verdict: 'accepted', retrySeconds: 0 },
    { verdict: 'pending', retrySeconds: 77 },
    { verdict: 'refused', retrySeconds: 3600 },
    { verdict: 'refused', retrySeconds: 3600 },
  ]);
  t.throws(() => decodeVerdict(Uint8Array.of(RECORD.verdict, 9, 0, 0, 0, 0)), invalid);
  t.throws(() => decodeVerdict(Uint8Array.of(RECORD.message, 0, 0, 0, 0, 0)), invalid);
});
