import test from 'ava';
import fc from 'fast-check';
import { Secret } from '../../shared/secret.ts';
import { isMapping, reveal, type Data, type DataMapping } from '../../language/values/data.ts';
import { lift } from '../../language/values/node.ts';
import { mergeMapping, type Growing } from '../../language/pillars/pillar-merge.ts';
import { forgetOrigin, noteOrigin, type Origins } from '../../language/pillars/pillar-origin.ts';
import { compilePillar, pillarFromWire, pillarToWire } from '../../language/pillar.ts';
import { showPlace } from '../../language/place.ts';
import { lint } from '../../language/lint.ts';
import { collectProblems } from '../../language/problem.ts';
import { workshop } from '../../language/expressions/scope.ts';
import { unsealNode } from '../../language/pillars/seal.ts';
import { filesFor, readTop } from '../../language/top.ts';
import { findFile, namedFiles, nameOf, pathsOf } from '../../language/states/tree-files.ts';
import { toldBy, treeOf } from '../helpers/tree.ts';

const minion = { id: 'web1', groups: ['web'] };
const top = { 'pillars/top.yaml': 'base:\n  "*": [one]\n  web: ["more.*"]\n' };

function compiled(files: Readonly<Record<string, string>>) {
  const tree = treeOf({ ...top, 'pillars/one.yaml': '', ...files });
  return compilePillar({ tree, minion, unseal: (sealed) => `open ${sealed}` });
}

function valueOf(files: Readonly<Record<string, string>>): DataMapping {
  return compiled(files).value;
}

function bug(): never {
  throw new TypeError('a bug');
}

test('no top file, or an empty one, is an empty pillar', (t) => {
  t.deepEqual(compilePillar({ tree: treeOf({}), minion, unseal: null }).value, {});
  t.deepEqual(valueOf({ 'pillars/top.yaml': '' }), {});
  t.deepEqual(valueOf({ 'pillars/top.yaml': 'base:' }), {});
});

test('later files are merged over earlier ones', (t) => {
  const value = valueOf({
    'pillars/one.yaml': 'a: {b: 1, c: {d: 1, e: 2}}\nlist: [1, 2]\nx: 1\n',
    'pillars/more/z.yaml': 'a: {b: 2, c: {d: 3}}\nlist: [3]\nx: {y: 1}\n',
  });
  t.deepEqual(value, { a: { b: 2, c: { d: 3, e: 2 } }, list: [3], x: { y: 1 } });
});

test('files named by a glob come in the order of their names', (t) => {
  const value = valueOf({
    'pillars/more/b.yaml': 'who: b\n',
    'pillars/more/a.yaml': 'who: a\nfirst: true\n',
    'pillars/more/c/init.yaml': 'last: "{{ pillar.who }}"\n',
    'pillars/other.yaml': 'who: nobody\n',
  });
  t.deepEqual(value, { who: 'b', first: true, last: 'b' });
});

test('"+key" appends, "-key" removes', (t) => {
  const value = valueOf({
    'pillars/one.yaml': 'admins: [dana, omer]\nports: {a: 1, b: 2}\nold: {x: 1}\nlist: [{a: 1}]\n',
    'pillars/more/a.yaml': '+admins: [noa]\n+fresh: [x]\n-ports: [a]\n-old:\n-list: [{a: 1}]\n',
    'pillars/more/b.yaml': '-admins: omer\n',
  });
  t.deepEqual(value, { admins: ['dana', 'noa'], ports: { b: 2 }, fresh: ['x'], list: [] });
});

test('values refer to what stands before them, also beside them, and to the minion', (t) => {
  const value = valueOf({
    'pillars/one.yaml':
      'site: {name: knesset, domain: "{{ pillar.site.name }}.org", own: "{{ minion.id }}"}\ncopy: "{{ pillar.site }}"\n"{{ pillar.site.name }}": 1\n',
    'pillars/more/a.yaml': 'site: {name: changed}\n',
  });
  const site = { name: 'knesset', domain: 'knesset.org', own: 'web1' };
  t.deepEqual(value, { site: { ...site, name: 'changed' }, copy: site, knesset: 1 });
});

test('a mapping that an expression gives merges as one that is written', (t) => {
  const value = valueOf({
    'pillars/one.yaml': 'defaults: {a: 1, b: {c: 2}}\nsite: {b: {d: 3}}\n',
    'pillars/more/a.yaml': 'site: "{{ pillar.defaults }}"\n',
  });
  t.deepEqual(value['site'], { a: 1, b: { c: 2, d: 3 } });
});

test('sealed values are secret, and what is computed from them', (t) => {
  const { value } = compiled({
    'pillars/one.yaml': 'pw: !sealed "abc"\nurl: "pg://{{ pillar.pw }}@db"\nlist: [!sealed "x"]\n',
  });
  t.true(value['pw'] instanceof Secret && value['url'] instanceof Secret);
  t.deepEqual(reveal(value), { pw: 'open abc', url: 'pg://open abc@db', list: ['open x'] });
  t.false(JSON.stringify(value).includes('abc'));
});

test('without a key something stands for what is sealed', (t) => {
  const tree = treeOf({ ...top, 'pillars/one.yaml': 'pw: !sealed "abc"\n' });
  t.true(compilePillar({ tree, minion, unseal: null }).value['pw'] instanceof Secret);
});

test('origins tell what set a value and what it beat', (t) => {
  const { origins } = compiled({
    'pillars/one.yaml': 'a:\n  b: 1\n  c: {d: 1}\n',
    'pillars/more/x.yaml': 'a:\n  b: 2\n  c: gone\n',
    'pillars/more/y.yaml': 'a: {b: 3}\n',
  });
  const told = (path: string) => {
    const origin = origins.get(path);
    return [origin?.place, ...(origin?.beat ?? [])].map((place) =>
      place === undefined ? '' : showPlace(place),
    );
  };
  t.deepEqual(told('a.b'), [
    'pillars/more/y.yaml:1:8',
    'pillars/more/x.yaml:2:6',
    'pillars/one.yaml:2:6',
  ]);
  t.deepEqual(told('a.c'), [
    'pillars/more/x.yaml:3:6',
    'pillars/one.yaml:3:6',
    'pillars/one.yaml:3:10',
  ]);
  t.false(origins.has('a.c.d'));
});

test('origins are forgotten with their values', (t) => {
  const place = { file: 'a', line: 1, column: 1 };
  const origins: Origins = new Map();
  noteOrigin(origins, 'a.b', place);
  noteOrigin(origins, 'ab', place);
  forgetOrigin(origins, 'a');
  t.deepEqual([...origins.keys()], ['ab']);
});

test('all mistakes of all files are told together', (t) => {
  const files = {
    'pillars/one.yaml': 'a: 1\n-b: x\nc: "{{ pillar.d }}"\n',
    'pillars/more/a.yaml': '+a: [1]\ne: "{{ nothing }}"\n',
    'pillars/more/b.yaml': '- list\n',
  };
  t.deepEqual(
    toldBy(() => compiled(files)),
    [
      'pillars/more/a.yaml:1:1 "+a" appends a list to a list: "a" is the number 1',
      'pillars/more/a.yaml:2:8 "nothing" is not defined',
      'pillars/more/b.yaml:1:1 a pillar file is a mapping, got a list',
      'pillars/one.yaml:2:1 "-b" removes "b", which is not there',
      'pillars/one.yaml:3:15 "pillar" has no "d"',
    ],
  );
});

for (const [target, isAllowed] of [
  ['web1', true],
  ['web*', true],
  ['[web1, web] and not db*', true],
  ['facts.os:Debian', false],
  ['web1 or not facts.os:Debian', false],
  ['pillar.a:b', false],
  ['net:10.0.0.0/8', false],
  ['[web1, re:.*]', false],
] as const) {
  test(`a pillar top ${isAllowed ? 'takes' : 'refuses'} "${target}"`, (t) => {
    const files = { 'pillars/top.yaml': `base: {"${target}": [one]}\n` };
    t.is(toldBy(() => compiled(files)).length, isAllowed ? 0 : 1);
  });
}

test('a top file gives each file once, in order', (t) => {
  const tree = treeOf({
    'states/top.yaml': 'base:\n  "*": [b, a]\n  web: [a, "*"]\n  db: [c]\n  web1: d.e\n',
    'states/a.yaml': '',
    'states/b/init.yaml': '',
    'states/c.sls': '',
    'states/d/e.yaml': '',
  });
  const problems = collectProblems(tree);
  const entries = readTop(tree, 'states', problems) ?? [];
  const files = filesFor(entries, { ...minion, facts: {} }, { tree, folder: 'states', problems });
  t.deepEqual(
    files.map(({ name }) => name),
    ['b', 'a', 'c', 'd.e'],
  );
  t.deepEqual(problems.list(), []);
});

test('dotted names are files', (t) => {
  t.deepEqual(pathsOf('states', 'a.b'), [
    'states/a/b.yaml',
    'states/a/b/init.yaml',
    'states/a/b.sls',
    'states/a/b/init.sls',
  ]);
  t.is(nameOf('states', 'states/a/b/init.sls'), 'a.b');
  t.is(nameOf('states', 'states/a.b.yaml'), null);
  t.is(nameOf('pillars', 'states/a.yaml'), null);
  const tree = treeOf({
    'states/top.yaml': '',
    'states/b.yaml': '',
    'states/a.yaml': '',
    'states/x.txt': '',
  });
  t.deepEqual([...namedFiles(tree, 'states').keys()], ['a', 'b']);
  const place = { file: 'x', line: 1, column: 1 };
  t.is(
    findFile(tree, 'states', { name: 'a', place }, { problems: collectProblems(tree) })?.path,
    'states/a.yaml',
  );
});

const json = fc.letrec<{ value: Data }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(1, 'x', true, null, new Secret('s')),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'a/b', '~', ''), tie('value'), { maxKeys: 3 }),
  ),
})).value;
const mapping = fc.dictionary(fc.constantFrom('a', 'b', 'a/b', 'c'), json, { maxKeys: 4 });

test('a pillar goes over the wire and back unchanged', (t) => {
  fc.assert(
    fc.property(mapping, (value) => {
      const wire = pillarToWire(value);
      const back = pillarFromWire(structuredClone(wire));
      t.deepEqual(reveal(back), reveal(value));
      t.deepEqual(pillarToWire(back), wire);
    }),
  );
});

/** What merging means, said the short way. */
function overlay(below: Data | undefined, above: Data): Data {
  if (!isMapping(above)) return above;
  const merged: Growing = isMapping(below) ? { ...below } : {};
  for (const [key, value] of Object.entries(above)) merged[key] = overlay(merged[key], value);
  return merged;
}

test('merging is overlaying, and does it twice without effect', (t) => {
  const place = { file: 'a', line: 1, column: 1 };
  const plain = mapping.map((value) => reveal(value));
  const problems = collectProblems({ read: () => null });
  const merge = {
    workshop: workshop(problems),
    scope: { names: new Map(), chain: [] },
    origins: new Map(),
    problems,
  };
  const put = (into: Growing, value: Data) => {
    const node = lift(value, place);
    if (node.kind === 'mapping') mergeMapping(into, node, merge, '');
  };
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      const merged: Growing = {};
      put(merged, a);
      put(merged, b);
      t.deepEqual(merged, overlay(a, b));
      put(merged, b);
      t.deepEqual(merged, overlay(a, b));
    }),
  );
});

test('only a mistake of sealing is caught while a value is opened', (t) => {
  const place = { file: 'a', line: 1, column: 1 };
  const sealed = { kind: 'scalar', place, value: 'x', sealed: true } as const;
  const keyNode = { kind: 'scalar', place, value: 'a' } as const;
  const node = { kind: 'mapping', place, entries: [{ key: 'a', keyNode, value: sealed }] } as const;
  const problems = collectProblems({ read: () => null });
  t.throws(() => unsealNode(node, { unseal: bug, problems, chain: [] }), { instanceOf: TypeError });
});

function toldOfSchedule(files: Readonly<Record<string, string>>): string {
  return toldBy(() => compiled(files)).join('\n');
}

test('a schedule that cannot be is refused where it was set, before any host is touched', (t) => {
  t.regex(
    toldOfSchedule({ 'pillars/one.yaml': 'schedule:\n  crn: "30 2 * * *"\n' }),
    /pillars\/one\.yaml:2:8 schedule\.crn: unknown key "crn", did you mean "cron"\?/u,
  );
  t.regex(
    toldOfSchedule({ 'pillars/one.yaml': 'schedule: {cron: "0 0 30 2 *"}\n' }),
    /pillars\/one\.yaml:1:18 schedule\.cron: "0 0 30 2 \*" is never due/u,
  );
  const starved = {
    'pillars/one.yaml': 'schedule:\n  at: "12:00"\n',
    'pillars/more/a.yaml': 'schedule:\n  windows: {allow: ["22:00-06:00"]}\n',
  };
  t.regex(
    toldOfSchedule(starved),
    /pillars\/more\/a\.yaml:2:12 schedule\.windows: none of the times at which it is due/u,
  );
  t.regex(
    toldOfSchedule({ 'pillars/one.yaml': 'schedule: daily\n' }),
    /expected a mapping, got "daily"/u,
  );
  const sealed = toldOfSchedule({ 'pillars/one.yaml': 'schedule: {at: !sealed "03:00"}\n' });
  t.regex(sealed, /expected a time of day such as "03:00", got a secret/u);
  t.deepEqual(valueOf({ 'pillars/one.yaml': 'schedule: {at: "03:00"}\n' }), {
    schedule: { at: '03:00' },
  });
});

function found(text: string): string[] {
  const tree = treeOf({ ...top, 'pillars/one.yaml': text });
  return lint(tree, new Map()).map(
    ({ place, message }) => `${place.line}:${place.column} ${message}`,
  );
}

test('lint finds what is wrong with a schedule in the file alone, and leaves the rest to the whole', (t) => {
  t.deepEqual(found('schedule:\n  windows:\n    deny:\n      - "00:00-24:00"\n'), [
    '3:5 schedule.windows: the windows deny every minute of the week: it would never refresh by itself',
  ]);
  t.deepEqual(found('schedule: {timezone: Asia/Jeruslem}\n'), [
    '1:22 schedule.timezone: unknown time zone "Asia/Jeruslem"',
  ]);
  t.deepEqual(found('schedule: {windows: {allow: [{days: [fry]}]}}\n'), [
    '1:38 schedule.windows.allow.0.days.0: "fry" is no day of the week, did you mean "fri"?',
  ]);
  for (const text of [
    'schedule: {splay: 30m}\n',
    'schedule: {"-cron": null, at: "03:00"}\n',
    'schedule: {at: "{{ pillar.hour }}:00"}\n',
    'schedule: {at: !sealed abc}\n',
    'schedule: {cron: "30 2 * * mon-fri", windows: {deny: [{days: [sat]}]}}\n',
  ])
    t.deepEqual(found(text), [], text);
});
