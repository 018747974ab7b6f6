import test from 'ava';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS, findContent, openContents } from '../../../../minion/engine/drift/contents.ts';
import { createAtRest } from '../../../../minion/host/at-rest.ts';
import { nodeCrypto } from '../../../../protocol/node-crypto.ts';
import { IN_THE_WAY, putInTheWay } from '../../../helpers/in-the-way.ts';
import { newDirectory, testAtRest } from '../../../helpers/toy-world.ts';

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function hashOf(text: string): string {
  return testAtRest.digest(bytes(text));
}

function age(directory: string, text: string, seconds: number): void {
  utimesSync(join(directory, hashOf(text)), seconds, seconds);
}

test('keeps a content under a hash that needs the key, for root only, and gives it back byte for byte', (t) => {
  const directory = join(newDirectory(), 'drift');
  const content = new Uint8Array([0, 255, 10, 13]);
  const kept = openContents(directory, testAtRest).keep(content);
  const hash = testAtRest.digest(content);
  t.deepEqual(kept, { kept: hash });
  t.not(hash, createHash('sha256').update(content).digest('hex'));
  t.deepEqual(new Uint8Array(findContent(directory, hash, testAtRest)), content);
  t.is(statSync(directory).mode & 0o777, 0o700);
  const [name = ''] = readdirSync(directory);
  t.is(statSync(join(directory, name)).mode & 0o777, 0o600);
  t.false(readFileSync(join(directory, name)).includes(Buffer.from(content)));
  const other = createAtRest(nodeCrypto, '1'.repeat(64));
  t.throws(() => findContent(directory, hash, other), { message: /is damaged/u });
});

test('the oldest go first, by count and by bytes; what comes again is young', (t) => {
  const directory = newDirectory();
  const contents = openContents(directory, testAtRest, { ...LIMITS, count: 3, free: 0 });
  for (const [index, text] of ['one', 'two', 'three'].entries()) {
    contents.keep(bytes(text));
    age(directory, text, 1000 + index);
  }
  contents.keep(bytes('one'));
  contents.keep(bytes('four'));
  t.deepEqual(readdirSync(directory).toSorted(), ['one', 'three', 'four'].map(hashOf).toSorted());

  const size = testAtRest.seal(bytes('12345')).length;
  const limits = { ...LIMITS, bytes: 2 * size - 1, free: 0 };
  openContents(directory, testAtRest, limits).keep(bytes('12345'));
  t.deepEqual(readdirSync(directory).toSorted(), ['four', '12345'].map(hashOf).toSorted());
});

test('nothing is kept that is too large, or that would fill the disk', (t) => {
  const directory = join(newDirectory(), 'drift');
  t.deepEqual(
    openContents(directory, testAtRest, { ...LIMITS, largest: 2048 }).keep(new Uint8Array(2049)),
    {
      notKept: 'it is larger than 2 KiB',
    },
  );
  const full = openContents(directory, testAtRest, { ...LIMITS, free: Number.MAX_SAFE_INTEGER });
  t.deepEqual(full.keep(bytes('x')), { notKept: 'the disk is nearly full' });
  t.throws(() => findContent(directory, hashOf('x'), testAtRest), { code: 'NOT_FOUND' });
});

test('the beginning of a hash is enough where only one begins so', (t) => {
  const directory = newDirectory();
  const contents = openContents(directory, testAtRest, { ...LIMITS, free: 0 });
  const texts = Array.from({ length: 17 }, (_, number) => `text ${number}`);
  for (const text of texts) contents.keep(bytes(text));
  t.is(
    Buffer.from(findContent(directory, hashOf('text 3').slice(0, 12), testAtRest)).toString(),
    'text 3',
  );
  const starts = texts.map((text) => hashOf(text).slice(0, 1));
  const twice = starts.find((start, index) => starts.indexOf(start) !== index) ?? '';
  t.throws(() => findContent(directory, twice, testAtRest), {
    message: /several begin like that/u,
  });
});

test('what is damaged is not shown as what it was', (t) => {
  const directory = newDirectory();
  openContents(directory, testAtRest, { ...LIMITS, free: 0 }).keep(bytes('x'));
  writeFileSync(join(directory, hashOf('x')), testAtRest.seal(bytes('y')));
  t.throws(() => findContent(directory, hashOf('x'), testAtRest), { message: /is damaged/u });
});

test('without a key nothing is kept', (t) => {
  const directory = newDirectory();
  t.deepEqual(openContents(directory, null).keep(bytes('x')), {
    notKept: 'there is no key to seal it with',
  });
  t.deepEqual(readdirSync(directory), []);
});

test('whatever stands in place of the directory is put aside', (t) => {
  for (const what of IN_THE_WAY) {
    const directory = join(newDirectory(), 'drift');
    putInTheWay(directory, what);
    t.deepEqual(openContents(directory, testAtRest).keep(bytes('1')), { kept: hashOf('1') }, what);
  }
});
