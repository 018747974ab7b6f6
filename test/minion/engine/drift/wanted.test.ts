import test from 'ava';
import { chmodSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
