import { Buffer } from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import type { Data } from '../../language/values/data.ts';
import {
  dataOf,
  describeNode,
  entryOf,
  isBroken,
  lift,
  textOf,
} from '../../language/values/node.ts';
import type { Node } from '../../language/values/node.ts';
import { showPlace } from '../../language/place.ts';
import { collectProblems } from '../../language/problem.ts';
import { resolvePlain, sourceOffset } from '../../language/values/scalar.ts';
import { placesOf } from '../../language/values/yaml-source.ts';
import { readNode } from '../../language/values/yaml-node.ts';
import { parseYaml } from '../../language/yaml.ts';

function parse(text: string, options: { sealed?: boolean } = {}) {
  const bytes = Buffer.from(text);
  const problems = collectProblems({ read: () => bytes });
  const node = parseYaml('a.yaml', bytes, problems, options);
  const told = problems.list().map(({ place, message }) => `${showPlace(place)} ${message}`);
  return { node, told, data: node === null ? null : dataOf(node) };
}

function nodeAt(node: Node | null, ...keys: string[]): Node {
  let at = node ?? lift(null, { file: '', line: 0, column: 0 });
  for (const key of keys) {
    const below = at.kind === 'sequence' ? at.items[Number(key)] : undefined;
    at = below ?? (at.kind === 'mapping' ? entryOf(at, key)?.value : undefined) ?? at;
  }
  return at;
}

test('plain scalars follow the core schema', (t) => {
  const { data } = parse('[a, 1, -2, 1.5, true, False, null, ~, yes, on, 2026-11-20, "5"]');
  const expected = ['a', 1, -2, 1.5, true, false, null, null, 'yes', 'on', '2026-11-20', '5'];
  t.deepEqual(data, expected);
});

test('a number that would not print as it was written stays its text', (t) => {
  const texts = ['0644', '1.10', '1.0', '0x1F', '0o17', '+5', '1e3', '.5', '.inf', '-0'];
  for (const text of texts) t.is(resolvePlain(text), text);
});

test('a whole number that cannot be exact is a mistake', (t) => {
  t.is(resolvePlain('9007199254740993'), undefined);
  t.deepEqual(parse('uid: 9007199254740993').told, [
    'a.yaml:1:6 the number 9007199254740993 is too large to be exact',
  ]);
});

test('numbers survive a round trip through their text', (t) => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (number) => {
      t.is(resolvePlain(String(number)), number === 0 ? 0 : number);
    }),
  );
});

test('values know their places', (t) => {
  const { node } = parse('a:\n  b:\n    - x\n    - "y"\n  c: \'z\'\n');
  const places = [['a'], ['a', 'b'], ['a', 'b', '0'], ['a', 'b', '1'], ['a', 'c']];
  t.deepEqual(
    places.map((path) => showPlace(nodeAt(node, ...path).place)),
    ['a.yaml:2:3', 'a.yaml:3:5', 'a.yaml:3:7', 'a.yaml:4:7', 'a.yaml:5:6'],
  );
});

for (const [style, text, line, column] of [
  ['plain', 'a: x MARK', 1, 6],
  ['single-quoted', "a: 'it''s MARK'", 1, 11],
  ['double-quoted', String.raw`a: "\t\x41B\u263A\"MARK"`, 1, 20],
  ['folded double-quoted', 'a: "one\n  two MARK"', 2, 7],
  ['literal', 'a: |\n  one\n    two MARK\n', 3, 9],
  ['folded block', 'a: >-\n  one\n  two\n\n  three MARK\n', 5, 9],
  ['multi-line plain', 'a: one\n  two\n  MARK', 3, 3],
] as const) {
  test(`characters of a ${style} scalar know their places`, (t) => {
    const node = nodeAt(parse(text).node, 'a');
    const value = textOf(node) ?? '';
    const at = node.kind === 'scalar' ? node.at?.(value.indexOf('MARK')) : undefined;
    t.deepEqual(at, { file: 'a.yaml', line, column });
  });
}

test('sourceOffset() never leaves the text', (t) => {
  fc.assert(
    fc.property(fc.string(), fc.nat(30), (text, offset) => {
      const found = sourceOffset(text, text, { start: 0, style: 'plain', offset });
      t.true(found >= 0 && found <= text.length + 30);
    }),
  );
});

test('an empty file is an empty mapping', (t) => {
  t.deepEqual(parse('').data, {});
  t.deepEqual(parse('# nothing\n').data, {});
});

test('aliases repeat what their anchors hold', (t) => {
  t.deepEqual(parse('a: &x [1, {b: 2}]\nc: *x\n').data, { a: [1, { b: 2 }], c: [1, { b: 2 }] });
});

test('aliases are limited in number and in what they make', (t) => {
  const many = `a: &x 1\nb: [${Array.from({ length: 101 }, () => '*x').join(', ')}]`;
  t.regex(parse(many).told[0] ?? '', /more than 100 aliases/u);
  const rows = Array.from({ length: 9 }, (_, row) => {
    const before = row === 0 ? '1' : `*a${row - 1}`;
    return `a${row}: &a${row} [${Array.from({ length: 10 }, () => before).join(', ')}]`;
  });
  t.regex(parse(rows.join('\n')).told[0] ?? '', /aliases make more than 200000 values/u);
});

test('all mistakes of a file are told in one pass', (t) => {
  const { told } = parse('a: 1\na: 2\nconstructor: x\nb: !nope y\n? [x]\n: z\n');
  t.deepEqual(told, [
    'a.yaml:2:1 the key "a" stands here twice',
    'a.yaml:3:1 the key "constructor" is forbidden',
    'a.yaml:4:4 unknown tag "!nope"',
    'a.yaml:5:3 a key must be a text',
  ]);
});

test('"!!str" makes a text, "!sealed" only where it is asked for', (t) => {
  t.deepEqual(parse('a: !!str 5').data, { a: '5' });
  const sealed = nodeAt(parse('a: !sealed "xyz"', { sealed: true }).node, 'a');
  t.true(sealed.kind === 'scalar' && sealed.sealed);
  t.is(parse('a: !sealed "xyz"').told.length, 1);
});

test('keys that look like numbers are texts', (t) => {
  t.deepEqual(parse('80: a\n0644: b\ntrue: c').data, { 80: 'a', '0644': 'b', true: 'c' });
});

test('what is broken is known and leaves the rest alone', (t) => {
  const { node, data } = parse('a: !nope x\nb: 1');
  t.true(node !== null && isBroken(node));
  t.deepEqual(data, { a: null, b: 1 });
});

test('reading never throws, whatever the text', (t) => {
  const letters = fc.constantFrom(...'ab:-[]{},"\'|>&*!#\n \t?%@'.split(''));
  fc.assert(
    fc.property(fc.array(letters), (text) => {
      const { node, told } = parse(text.join(''));
      t.true(node !== null || told.length > 0);
    }),
    { numRuns: 500 },
  );
});

test('nodes describe themselves without telling secrets', (t) => {
  const place = { file: 'a', line: 1, column: 1 };
  const values: [Data, string][] = [
    [[], 'a list'],
    [{}, 'a mapping'],
    [null, 'nothing (null)'],
    [5, 'the number 5'],
    ['x', 'the text "x"'],
    [true, 'true'],
  ];
  for (const [value, words] of values) t.is(describeNode(lift(value, place)), words);
});

test('a text without events is nothing', (t) => {
  const problems = collectProblems({ read: () => null });
  const source = { file: 'a', text: '', placeAt: placesOf('a', '') };
  t.is(readNode([], source, { problems, sealed: false }).kind, 'broken');
});
