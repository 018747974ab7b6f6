import test from 'ava';
import fc from 'fast-check';
import { REQUISITE_KINDS, type Requisite } from '../../language/declaration.ts';
import { impliedEdges } from '../../language/states/implied.ts';
import {
  definitionOrder,
  edgesOf,
  findCycles,
  reaches,
  tangled,
  walk,
} from '../../language/order.ts';
import type { Sortable } from '../../language/order.ts';

function item(
  key: string,
  order: Sortable['order'] = null,
  requisites: readonly Requisite[] = [],
): Sortable {
  return { key, order, requisites };
}

function needs(key: string, ...targets: string[]): Sortable {
  return item(
    key,
    null,
    targets.length === 0 ? [] : [{ kind: 'require', targets, implied: false }],
  );
}

function keys(items: readonly Sortable[]): string {
  return items.map(({ key }) => key).join('');
}

function ordered(items: readonly Sortable[]): string {
  const sorted = definitionOrder(items);
  return keys(walk(sorted, edgesOf(sorted)));
}

test('definition order stays where nothing changes it', (t) => {
  t.is(ordered([needs('a'), needs('b', 'a'), needs('c')]), 'abc');
});

test('order puts first, last, by number and from the end', (t) => {
  const items = [
    item('a', 'last'),
    item('b'),
    item('c', -1),
    item('d', 5),
    item('e', 'first'),
    item('f', 20_000),
    item('g', 1),
  ];
  t.is(ordered(items), 'egdbfca');
});

test('a requisite pulls what it needs before it, and no more', (t) => {
  t.is(ordered([needs('a', 'd'), needs('b'), needs('c'), needs('d', 'c')]), 'cdab');
});

test('requisites win over order', (t) => {
  t.is(
    ordered([
      item('a', 'first', [{ kind: 'watch', targets: ['b'], implied: false }]),
      item('b', 'last'),
    ]),
    'ba',
  );
});

test('prereq comes before what it waits for, listen orders nothing', (t) => {
  t.is(
    ordered([item('a'), item('b', null, [{ kind: 'prereq', targets: ['a'], implied: false }])]),
    'ba',
  );
  t.is(
    ordered([item('a', null, [{ kind: 'listen', targets: ['b'], implied: false }]), item('b')]),
    'ab',
  );
});

test('cycles are found, one for each knot', (t) => {
  const items = [
    needs('a', 'b'),
    needs('b', 'c'),
    needs('c', 'a'),
    needs('d', 'e'),
    needs('e', 'd'),
    needs('f', 'a'),
    needs('g'),
  ];
  const edges = edgesOf(items);
  t.deepEqual(
    findCycles(edges).map((cycle) => cycle.join('')),
    ['abc', 'de'],
  );
  t.deepEqual([...tangled(edges)].join(''), 'abcde');
});

test('what leads from one to another is found within bounds', (t) => {
  const edges = edgesOf([needs('a', 'b'), needs('b', 'c'), needs('c')]);
  const all = new Set(['a', 'b', 'c']);
  t.true(reaches(edges, { from: 'a', to: 'c', within: all }));
  t.false(reaches(edges, { from: 'c', to: 'a', within: all }));
  t.false(reaches(edges, { from: 'a', to: 'c', within: new Set(['a', 'c']) }));
});

test('implied requisites follow from what things provide and need', (t) => {
  const items = [
    { key: 'site', provides: ['path:/etc/a'], needs: ['path:/etc', 'user:x'] },
    { key: 'dir', provides: ['path:/etc'], needs: ['path:/etc'] },
    { key: 'user', provides: ['user:x'], needs: [] },
  ];
  const written = new Map<string, string[]>([
    ['site', ['user']],
    ['dir', []],
    ['user', []],
  ]);
  t.deepEqual([...impliedEdges(items, written)], [['site', ['dir']]]);
});

function edit(key: string) {
  return { key, provides: ['path:/f'], needs: ['path:/f'] };
}

test('those that work on one thing run as they are written, behind what makes it', (t) => {
  const items = [edit('one'), edit('two'), { key: 'file', provides: ['path:/f'], needs: [] }];
  const written = new Map<string, string[]>(items.map(({ key }) => [key, []]));
  const implied = [...impliedEdges(items, written)];
  t.deepEqual(implied, [
    ['one', ['file']],
    ['two', ['file']],
  ]);
});

test('an implied requisite that would close a cycle is left out', (t) => {
  const items = [
    { key: 'a', provides: ['x'], needs: ['y'] },
    { key: 'b', provides: ['y'], needs: ['x', 'z'] },
    { key: 'c', provides: ['z'], needs: [] },
  ];
  const none = new Map<string, string[]>([
    ['a', []],
    ['b', []],
    ['c', []],
  ]);
  t.deepEqual(
    [...impliedEdges(items, none)],
    [
      ['a', ['b']],
      ['b', ['c']],
    ],
  );
  const written = new Map<string, string[]>([
    ['a', []],
    ['b', ['a']],
    ['c', []],
  ]);
  t.deepEqual([...impliedEdges(items, written)], [['b', ['c']]]);
});

/** Graphs without cycles: each points only at earlier numbers; then shuffled. */
const acyclic = fc
  .array(
    fc.tuple(
      fc.array(fc.nat(20), { maxLength: 3 }),
      fc.option(fc.constantFrom('first' as const, 'last' as const, 3, -2)),
    ),
    { maxLength: 20 },
  )
  .chain((rows) => {
    const items = rows.map(([targets, order], index) => {
      const below = targets.filter((target) => target < index).map(String);
      const requisites =
        below.length === 0 ? [] : [{ kind: 'require' as const, targets: below, implied: false }];
      return item(String(index), order, requisites);
    });
    return fc.shuffledSubarray(items, { minLength: items.length });
  });

test('everything is there once, and after all it needs', (t) => {
  fc.assert(
    fc.property(acyclic, (items) => {
      const sorted = definitionOrder(items);
      const edges = edgesOf(sorted);
      const result = walk(sorted, edges).map(({ key }) => key);
      t.deepEqual(result.toSorted(), items.map(({ key }) => key).toSorted());
      const isSound = [...edges].every(([key, before]) =>
        before.every((one) => result.indexOf(one) < result.indexOf(key)),
      );
      t.true(isSound);
      t.deepEqual(findCycles(edges), []);
    }),
  );
});

test('implied requisites never make a cycle, whatever is needed', (t) => {
  const names = fc.array(fc.constantFrom('p', 'q', 'r', 's'), { maxLength: 3 });
  fc.assert(
    fc.property(
      acyclic,
      fc.array(fc.tuple(names, names), { minLength: 20, maxLength: 20 }),
      (items, things) => {
        const written = edgesOf(items);
        const resources = items.map(({ key }, index) => ({
          key,
          provides: things[index]?.[0] ?? [],
          needs: things[index]?.[1] ?? [],
        }));
        const implied = impliedEdges(resources, written);
        const all = new Map(
          [...written].map(([key, before]) => [key, [...before, ...(implied.get(key) ?? [])]]),
        );
        t.deepEqual(findCycles(all), []);
      },
    ),
  );
});

test('a chain of ten thousand is no burden', (t) => {
  const items = Array.from({ length: 10_000 }, (_, index) =>
    needs(String(index), ...(index === 9999 ? [] : [String(index + 1)])),
  );
  const edges = edgesOf(items);
  t.is(walk(items, edges)[0]?.key, '9999');
  t.is(findCycles(edges).length, 0);
});

test('every kind of requisite is known', (t) => {
  t.is(new Set(REQUISITE_KINDS).size, 11);
});
