import test from 'ava';
import { lstatSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openKeeps } from '../../../minion/host/keeps.ts';
import type { KeepPlace, Keeps } from '../../../minion/host/keeps.ts';
import { IN_THE_WAY, putInTheWay } from '../../helpers/in-the-way.ts';
import { createLogger } from '../../../shared/log.ts';
import { newDirectory, testAtRest } from '../../helpers/toy-world.ts';

function open(stateDirectory: string, more: Partial<KeepPlace> = {}): [Keeps, string[]] {
  const said: string[] = [];
  const log = createLogger({ name: 'test', level: 'warn', write: (line) => void said.push(line) });
  return [openKeeps({ stateDirectory, atRest: testAtRest, log, ...more }), said];
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function textOf(content: Uint8Array | null): string | null {
  return content === null ? null : Buffer.from(content).toString();
}

test('what is kept is there for the next run by its name, sealed and for root alone', (t) => {
  const directory = newDirectory();
  const [keeps, said] = open(directory);
  keeps.put('a/b', bytes('password\nof one'));
  keeps.put('other', bytes(''));
  const [next] = open(directory);
  t.is(textOf(next.get('a/b')), 'password\nof one');
  t.is(textOf(next.get('other')), '');
  t.is(next.get('none'), null);
  t.deepEqual(next.names().toSorted(), ['a/b', 'other']);
  t.is(statSync(join(directory, 'keeps')).mode & 0o777, 0o700);
  for (const name of readdirSync(join(directory, 'keeps'))) {
    const path = join(directory, 'keeps', name);
    t.is(statSync(path).mode & 0o777, 0o600);
    t.notRegex(readFileSync(path, 'latin1'), /password|a\/b/u);
  }
  next.put('a/b', null);
  next.put('a/b', null);
  t.deepEqual(keeps.names(), ['other']);
  t.deepEqual(said, []);
});

test('no more is kept than fits, and what is not kept is told', (t) => {
  const directory = newDirectory();
  const limits = { bytes: 400, count: 2, free: 0 };
  const [keeps, said] = open(directory, { limits });
  keeps.put('one', bytes('1'));
  keeps.put('two', bytes('2'.repeat(500)));
  t.regex(said.join(''), /could not be kept.*too much is kept already/u);
  keeps.put('two', bytes('2'));
  keeps.put('three', bytes('3'));
  t.deepEqual(keeps.names().toSorted(), ['one', 'two']);
  keeps.put('two', bytes('two'));
  t.is(textOf(keeps.get('two')), 'two', 'another one of the same name takes its place');

  const [full, told] = open(newDirectory(), {
    limits: { ...limits, free: Number.MAX_SAFE_INTEGER },
  });
  full.put('one', bytes('1'));
  t.regex(told.join(''), /the disk is nearly full/u);
  const [without, toldToo] = open(newDirectory(), { atRest: null });
  without.put('one', bytes('1'));
  t.is(without.get('one'), null);
  t.regex(toldToo.join(''), /there is no key to seal it with/u);
});

test('what is damaged is put aside, and is not taken for what was kept', (t) => {
  const directory = newDirectory();
  const [keeps, said] = open(directory);
  keeps.put('one', bytes('1'));
  const [name = ''] = readdirSync(join(directory, 'keeps'));
  writeFileSync(join(directory, 'keeps', name), 'damaged', { mode: 0o600 });
  t.is(keeps.get('one'), null);
  t.regex(said.join(''), /is damaged/u);
  t.regex(readdirSync(join(directory, 'keeps')).join(), /corrupt/u);
  t.deepEqual(keeps.names(), []);
});

test('whatever stands in place of the directory is put aside, and told', (t) => {
  for (const what of IN_THE_WAY) {
    const directory = newDirectory();
    const place = join(directory, 'keeps');
    const [keeps, said] = open(directory);
    putInTheWay(place, what);
    t.is(keeps.get('one'), null, what);
    t.deepEqual(keeps.names(), [], what);
    t.regex(said.join(''), /is damaged/u, what);
    t.regex(readdirSync(directory).join(), /^keeps\.corrupt-/u, what);
    putInTheWay(place, what);
    keeps.put('one', null);
    putInTheWay(place, what);
    keeps.put('one', bytes('1'));
    t.is(textOf(keeps.get('one')), '1', what);
    t.true(lstatSync(place).isDirectory(), what);
    t.is(said.length, 3, what);
  }
});
