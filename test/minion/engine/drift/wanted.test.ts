import test from 'ava';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openWanted } from '../../../../minion/engine/drift/wanted.ts';
import type { Wanted } from '../../../../minion/engine/drift/wanted.ts';
import { newDirectory } from '../../../helpers/toy-world.ts';

function open(directory: string, told: string[] = []): Wanted {
  return openWanted(directory, { dryRun: false, onCorrupt: (why) => void told.push(why) });
}

function ran(directory: string, keys: readonly string[], isWhole = true): void {
  const wanted = open(directory);
  wanted.begin();
  for (const key of keys) wanted.settle(key, { asked: wanted.digest(key), wanted: null });
  wanted.end({ keys, isWhole });
}

test('files are for root only, and a run that changes nothing writes nothing', (t) => {
  const directory = newDirectory();
  ran(directory, ['a']);
  t.deepEqual(readdirSync(directory).toSorted(), ['wanted-key.json', 'wanted.json']);
  for (const name of readdirSync(directory))
    t.is(statSync(join(directory, name)).mode & 0o777, 0o600);
  const before = statSync(join(directory, 'wanted.json')).ino;
  const wanted = open(directory);
  wanted.settle('a', { asked: wanted.digest('a'), wanted: null });
  wanted.end({ keys: ['a'], isWhole: true });
  t.is(statSync(join(directory, 'wanted.json')).ino, before);
});

test('a whole run forgets what is no longer declared, a partial one does not', (t) => {
  const directory = newDirectory();
  ran(directory, ['a', 'b']);
  ran(directory, ['c'], false);
  t.deepEqual(
    ['a', 'b', 'c'].map((key) => open(directory).recall(key).status),
    ['known', 'known', 'known'],
  );
  ran(directory, ['a']);
  t.deepEqual(
    ['a', 'b', 'c'].map((key) => open(directory).recall(key).status),
    ['known', 'new', 'new'],
  );
});

test('that a minion has run before is known by what else it has left', (t) => {
  const directory = newDirectory();
  t.is(open(directory).recall('a').status, 'new');
  writeFileSync(join(directory, 'owed.json'), '{}');
  t.is(open(directory).recall('a').status, 'lost');
});

test('with another key nothing is known, and the old file is put aside', (t) => {
  const directory = newDirectory();
  ran(directory, ['a']);
  rmSync(join(directory, 'wanted-key.json'));
  const told: string[] = [];
  t.is(open(directory, told).recall('a').status, 'lost');
  t.regex(told[0] ?? '', /cannot be read and is kept as ".*corrupt-.*": its key is another one/u);
  t.is(readdirSync(directory).filter((name) => name.includes('corrupt')).length, 1);
});

test('a partial run does not make up for what was lost', (t) => {
  const directory = newDirectory();
  ran(directory, ['a']);
  rmSync(join(directory, 'wanted.json'));
  ran(directory, ['a'], false);
  t.is(open(directory).recall('b').status, 'lost');
  ran(directory, ['a']);
  t.is(open(directory).recall('b').status, 'new');
});

test('no more is remembered than fits', (t) => {
  const directory = newDirectory();
  const keys = Array.from({ length: 20_003 }, (_, number) => `key ${number}`);
  ran(directory, keys);
  const wanted = open(directory);
  t.deepEqual(
    ['key 0', 'key 2', 'key 3', 'key 20002'].map((key) => wanted.recall(key).status),
    ['new', 'new', 'known', 'known'],
  );
});

test('equal texts have equal digests on one minion and others on another', (t) => {
  const [one, other] = [newDirectory(), newDirectory()];
  for (const directory of [one, other]) ran(directory, ['a']);
  t.is(open(one).digest('x'), open(one).digest('x'));
  t.not(open(one).digest('x'), open(other).digest('x'));
});

test('a damaged key costs what was digested with it, and no more', (t) => {
  const directory = newDirectory();
  ran(directory, ['a']);
  const text = readFileSync(join(directory, 'wanted.json'), 'utf8');
  rmSync(join(directory, 'wanted-key.json'));
  writeFileSync(join(directory, 'wanted-key.json'), '{"version":2}');
  chmodSync(join(directory, 'wanted-key.json'), 0o600);
  t.is(open(directory).recall('a').status, 'lost');
  const [aside = ''] = readdirSync(directory).filter((name) => name.includes('corrupt'));
  t.is(readFileSync(join(directory, aside), 'utf8'), text);
});

function settle(wanted: Wanted, ...keys: readonly string[]): void {
  for (const key of keys) wanted.settle(key, { asked: wanted.digest(key), wanted: null });
}

/** A run that is killed after it has brought these about, one after the other. */
function killedAfter(directory: string, keys: readonly string[]): void {
  const wanted = open(directory);
  for (const key of keys) {
    wanted.begin();
    settle(wanted, key);
  }
  wanted.begin();
}

function statuses(wanted: Wanted, keys: readonly string[]): readonly string[] {
  return keys.map((key) => wanted.recall(key).status);
}

const JOURNAL = 'wanted-journal.jsonl';

test('each change costs a line, whatever number of declarations is remembered', (t) => {
  const directory = newDirectory();
  ran(
    directory,
    Array.from({ length: 500 }, (_, number) => `key ${number}`),
  );
  killedAfter(directory, ['a']);
  const { ino, size } = statSync(join(directory, 'wanted.json'));
  t.true(size > 30_000);
  const journal = statSync(join(directory, JOURNAL));
  t.is(journal.mode & 0o777, 0o600);
  t.true(journal.size < 200);
  killedAfter(directory, ['b', 'c', 'd']);
  t.not(statSync(join(directory, 'wanted.json')).ino, ino, 'what the killed one has left is in it');
  t.is(readFileSync(join(directory, JOURNAL), 'utf8').trim().split('\n').length, 3);
  t.deepEqual(statuses(open(directory), ['key 0', 'a', 'b', 'c', 'd', 'e']), [
    'known',
    'known',
    'known',
    'known',
    'known',
    'new',
  ]);
});

test('a run that was killed is known for one, with all that it has brought about', (t) => {
  const directory = newDirectory();
  ran(directory, ['a']);
  const killed = open(directory);
  killed.begin();
  killed.countMove('a', { times: 3, since: '2026-01-01T00:00:00.000Z' });
  killed.hold('thing', ['one', 'two']);
  settle(killed, 'b');
  killed.begin();
  killed.hold('thing', []);
  killed.hold('other', ['three']);
  killed.unsettle('b');
  killed.begin();
  settle(killed, 'never written down');

  for (const again of [open(directory), open(directory)]) {
    t.true(again.wasCutShort);
    t.is(again.movedAgain('a').times, 4);
    t.deepEqual([again.held('thing'), again.held('other')], [[], ['three']]);
    const b = again.recall('b');
    t.is(b.status === 'known' && b.memo.isUnsettled, true);
    t.is(again.recall('never written down').status, 'new');
  }
});

test('the end of a run leaves one file', (t) => {
  const directory = newDirectory();
  killedAfter(directory, ['a', 'b']);
  t.true(readdirSync(directory).includes(JOURNAL));
  const wanted = open(directory);
  wanted.end({ keys: ['a', 'b'], isWhole: true });
  t.deepEqual(readdirSync(directory).toSorted(), ['wanted-key.json', 'wanted.json']);
  t.deepEqual(statuses(open(directory), ['a', 'b']), ['known', 'known']);
  t.false(open(directory).wasCutShort);
});

test('a line that was cut off is none, and what stands before it counts', (t) => {
  const directory = newDirectory();
  killedAfter(directory, ['a', 'b']);
  const path = join(directory, JOURNAL);
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, -9));
  const told: string[] = [];
  const wanted = open(directory, told);
  t.deepEqual(statuses(wanted, ['a', 'b']), ['known', 'new']);
  t.deepEqual(told, []);
  wanted.begin();
  settle(wanted, 'c');
  wanted.begin();
  t.deepEqual(statuses(open(directory), ['a', 'b', 'c']), ['known', 'new', 'known']);
});

test('a damaged line is kept for somebody to look at: what it said is lost, and nothing else', (t) => {
  const directory = newDirectory();
  killedAfter(directory, ['a', 'b', 'c']);
  const path = join(directory, JOURNAL);
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [lines[0], lines[1]?.replace('memos', 'nemos'), lines[2], ''].join('\n'));
  const told: string[] = [];
  t.deepEqual(statuses(open(directory, told), ['a', 'b', 'c']), ['known', 'lost', 'known']);
  t.regex(told[0] ?? '', /journal\.jsonl\.corrupt-.*": its line 2 is damaged/u);
});

test('the journal of a run that has ended is nothing to the next one', (t) => {
  const directory = newDirectory();
  killedAfter(directory, ['a', 'gone']);
  const left = readFileSync(join(directory, JOURNAL));
  open(directory).end({ keys: ['a'], isWhole: true });
  writeFileSync(join(directory, JOURNAL), left, { mode: 0o600 });
  t.deepEqual(statuses(open(directory), ['a', 'gone']), ['known', 'new']);
  killedAfter(directory, ['b']);
  t.deepEqual(statuses(open(directory), ['a', 'gone', 'b']), ['known', 'new', 'known']);
});

test('after a line that could not be written whole, the file is', (t) => {
  const directory = newDirectory();
  const wanted = open(directory);
  wanted.begin();
  settle(wanted, 'a');
  mkdirSync(join(directory, JOURNAL));
  t.throws(() => wanted.begin(), { code: 'HOST_FILE_FAILED' });
  settle(wanted, 'b');
  wanted.begin();
  t.deepEqual(statuses(open(directory), ['a', 'b']), ['known', 'known']);
  t.false(readdirSync(directory).includes(JOURNAL));
});
