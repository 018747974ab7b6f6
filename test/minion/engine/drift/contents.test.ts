import test from 'ava';
import { createHash } from 'node:crypto';
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LIMITS, openContents, findContent } from '../../../../minion/engine/drift/contents.ts';
import { newDirectory } from '../../../helpers/toy-world.ts';

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function age(directory: string, text: string, seconds: number): void {
  utimesSync(join(directory, hashOf(text)), seconds, seconds);
}

test('keeps a content under its hash, for root only, and gives it back byte for byte', (t) => {
  const directory = join(newDirectory(), 'drift');
  const content = new Uint8Array([0, 255, 10, 13]);
  const kept = openContents(directory).keep(content);
  const hash = createHash('sha256').update(content).digest('hex');
  t.deepEqual(kept, { kept: hash });
  t.deepEqual(new Uint8Array(findContent(directory, hash)), content);
  t.is(statSync(directory).mode & 0o777, 0o700);
  t.is(statSync(join(directory, hash)).mode & 0o777, 0o600);
});

test('the oldest go first, by count and by bytes; what comes again is young', (t) => {
  const directory = newDirectory();
  const contents = openContents(directory, { ...LIMITS, count: 3, free: 0 });
  for (const [index, text] of ['one', 'two', 'three'].entries()) {
    contents.keep(bytes(text));
    age(directory, text, 1000 + index);
  }
  contents.keep(bytes('one'));
  contents.keep(bytes('four'));
  t.deepEqual(readdirSync(directory).toSorted(), ['one', 'three', 'four'].map(hashOf).toSorted());

  openContents(directory, { ...LIMITS, bytes: 9, free: 0 }).keep(bytes('12345'));
  t.deepEqual(
    readdirSync(directory).map((name) => statSync(join(directory, name)).size),
    ['four', '12345']
      .map(hashOf)
      .toSorted()
      .map((hash) => (hash === hashOf('four') ? 4 : 5)),
  );
});

test('nothing is kept that is too large, or that would fill the disk', (t) => {
  const directory = join(newDirectory(), 'drift');
  t.deepEqual(openContents(directory, { ...LIMITS, largest: 2048 }).keep(new Uint8Array(2049)), {
    notKept: 'it is larger than 2 KiB',
  });
  const full = openContents(directory, { ...LIMITS, free: Number.MAX_SAFE_INTEGER });
  t.deepEqual(full.keep(bytes('x')), { notKept: 'the disk is nearly full' });
  t.throws(() => findContent(directory, hashOf('x')), { code: 'NOT_FOUND' });
});

test('the beginning of a hash is enough where only one begins so', (t) => {
  const directory = newDirectory();
  const contents = openContents(directory, { ...LIMITS, free: 0 });
  const texts = Array.from({ length: 17 }, (_, number) => `text ${number}`);
  for (const text of texts) contents.keep(bytes(text));
  t.is(Buffer.from(findContent(directory, hashOf('text 3').slice(0, 12))).toString(), 'text 3');
  const starts = texts.map((text) => hashOf(text).slice(0, 1));
  const twice = starts.find((start, index) => starts.indexOf(start) !== index) ?? '';
  t.throws(() => findContent(directory, twice), { message: /several begin like that/u });
});

test('what is damaged is not shown as what it was', (t) => {
  const directory = newDirectory();
  openContents(directory, { ...LIMITS, free: 0 }).keep(bytes('x'));
  writeFileSync(join(directory, hashOf('x')), 'y');
  t.throws(() => findContent(directory, hashOf('x')), { message: /is damaged/u });
});
