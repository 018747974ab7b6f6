import test from 'ava';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openWanted } from '../../../../minion/engine/drift/wanted.ts';
import type { Outcome } from '../../../../protocol/report.ts';
import { outcomeSchema } from '../../../../protocol/report.ts';
import { cannot, declare, newDirectory, run, toyWorld } from '../../../helpers/toy-world.ts';
import type { ToyRun, ToyWorld } from '../../../helpers/toy-world.ts';

/** A world and a place that outlive the runs over them. */
function here(things: Readonly<Record<string, string>> = {}) {
  const world = toyWorld(things);
  const directory = newDirectory();
  return {
    world,
    directory,
    run: (declarations: Parameters<typeof run>[0], options: Partial<ToyRun> = {}) =>
      run(declarations, { world, directory, ...options }),
  };
}

function kind({ origin }: Outcome): string | undefined {
  return origin?.kind;
}

function breaking(world: ToyWorld, ...what: string[]): void {
  // oxlint-disable-next-line no-param-reassign -- it is the world that breaks
  world.interfere = (action) => {
    if (what.includes(action)) throw cannot(action);
  };
}

const GUARD = '/bin/bash -c exec /bin/sh -c "$0" > >(exec cat) 2>&1 eval "$(cat)"';

test('what the tree asks for is intended, what it did not ask for is drift', async (t) => {
  const place = here({ old: 'old' });
  const first = await place.run([declare('a'), declare('old')]);
  t.deepEqual([kind(first.outcome('a')), kind(first.outcome('old'))], ['intended', 'intended']);

  place.world.things.set('a', 'by hand');
  const wish = declare('old', { value: 'newer' });
  const second = await place.run([declare('a'), wish]);
  t.like(second.outcome('a'), { status: 'changed', origin: { kind: 'drift', times: 1 } });
  t.is(kind(second.outcome('old')), 'intended');
  for (const outcome of second.outcomes) t.notThrows(() => outcomeSchema.parse(outcome));

  const third = await place.run([declare('a'), wish]);
  t.deepEqual(
    third.outcomes.map(({ status, origin }) => [status, origin]),
    [
      ['unchanged', undefined],
      ['unchanged', undefined],
    ],
  );
});

test('drift is counted, and since when; a dry run says the same and counts nothing', async (t) => {
  const place = here();
  await place.run([declare('a')]);
  const seen = [];
  for (const dryRun of [true, false, true, true, false]) {
    place.world.things.set('a', 'by hand');
    const { outcome } = await place.run([declare('a')], { dryRun });
    seen.push(outcome('a').origin);
  }
  const times = seen.map((origin) => (origin?.kind === 'drift' ? origin.times : null));
  t.deepEqual(times, [1, 1, 2, 2, 2]);
  const since = seen.slice(1).map((origin) => (origin?.kind === 'drift' ? origin.since : null));
  t.is(new Set(since).size, 1);
});

test('what has gone by hand is drift, what is newly declared is not', async (t) => {
  const place = here();
  await place.run([declare('a')]);
  place.world.things.delete('a');
  const { outcome } = await place.run([declare('a'), declare('b')]);
  t.deepEqual([kind(outcome('a')), kind(outcome('b'))], ['drift', 'intended']);
});

test('a declaration that failed goes on being intended until it has succeeded once', async (t) => {
  const place = here();
  await place.run([declare('a')]);
  breaking(place.world, 'set a=newer');
  await place.run([declare('a', { value: 'newer' })]);
  place.world.interfere = () => undefined;
  const { outcome } = await place.run([declare('a', { value: 'newer' })]);
  t.is(kind(outcome('a')), 'intended');
});

test('drift that could not be taken back at once is still drift when it is', async (t) => {
  const place = here();
  await place.run([declare('a')]);
  place.world.things.set('a', 'by hand');
  breaking(place.world, 'set a=new');
  t.is((await place.run([declare('a')])).outcome('a').status, 'failed');
  place.world.interfere = () => undefined;
  t.like((await place.run([declare('a')])).outcome('a').origin, { kind: 'drift', times: 1 });
});

test('a reaction follows from what it watches, also to drift and when it was owed', async (t) => {
  const place = here({ service: 'new' });
  const tree = [declare('config'), declare('service', { requires: { watch: ['config'] } })];
  await place.run(tree);
  place.world.things.set('config', 'by hand');
  breaking(place.world, 'kick service');
  const broken = await place.run(tree);
  t.deepEqual(
    [kind(broken.outcome('config')), broken.outcome('service').status],
    ['drift', 'failed'],
  );
  place.world.interfere = () => undefined;
  const { outcome } = await place.run(tree);
  t.like(outcome('service'), {
    status: 'changed',
    origin: { kind: 'follows', because: '"config" changed' },
  });
});

test('what is owed to a state that is not there any more follows from that, by its id', async (t) => {
  const place = here({ service: 'new' });
  const key = 'toy.set|config|config';
  const watch = [key];
  await place.run([declare('config', { key }), declare('service', { requires: { watch } })]);
  place.world.things.set('config', 'by hand');
  breaking(place.world, 'kick service');
  await place.run([declare('config', { key }), declare('service', { requires: { watch } })]);
  place.world.interfere = () => undefined;
  const { outcome } = await place.run([declare('service')]);
  t.deepEqual(outcome('service').origin, { kind: 'follows', because: '"config" changed' });
});

test('so does one that listens, in a run and in a dry run', async (t) => {
  const place = here({ service: 'new' });
  const tree = [declare('service', { requires: { listen: ['config'] } }), declare('config')];
  await place.run(tree);
  place.world.things.set('config', 'by hand');
  for (const dryRun of [true, false]) {
    const { outcome } = await place.run(tree, { dryRun });
    t.deepEqual(outcome('service').origin, { kind: 'follows', because: '"config" changed' });
    t.is(kind(outcome('config')), 'drift');
  }
});

test('what is only run on a change follows from it', async (t) => {
  const place = here();
  const tree = [declare('a'), declare('b', { type: 'toy.maybe', requires: { onchanges: ['a'] } })];
  await place.run(tree);
  place.world.things.set('a', 'by hand');
  const { outcome } = await place.run(tree);
  t.deepEqual([kind(outcome('a')), kind(outcome('b'))], ['drift', 'follows']);
});

/** `b` needs `a`, `c` follows from it, and `d` has nothing to do with it. */
function needing(value: string) {
  return [
    declare('a', { value }),
    declare('b', { requires: { require: ['a'] } }),
    declare('c', { type: 'toy.derived', requires: { require: ['a'] } }),
    declare('d'),
  ];
}

test('what may come of an intended change in the same run is not called drift', async (t) => {
  const place = here();
  await place.run(needing('one'));
  for (const name of ['b', 'c', 'd']) place.world.things.set(name, 'other');
  const { outcome } = await place.run(needing('two'));
  t.deepEqual(outcome('b').origin, {
    kind: 'unknown',
    because: '"a" changed before it in this run',
  });
  t.deepEqual(outcome('c').origin, { kind: 'follows', because: '"a" changed' });
  t.is(kind(outcome('d')), 'drift');
});

test('nor is it when the run that made the change did not get that far', async (t) => {
  const place = here();
  await place.run(needing('one'));
  place.world.things.set('b', 'other');
  breaking(place.world, 'set b=new');
  await place.run(needing('two'));
  place.world.interfere = () => undefined;
  const { outcome } = await place.run(needing('two'));
  t.deepEqual(outcome('b').origin, {
    kind: 'unknown',
    because: 'an earlier run did not finish what it, or what it refers to, had begun',
  });
});

test('what a killed run may have changed is not called drift', async (t) => {
  const place = here();
  await place.run([declare('a'), declare('b')]);
  // As if a run had been killed after its first effect.
  openWanted(place.directory, { dryRun: false, onCorrupt: () => undefined }).begin();
  place.world.things.set('a', 'other');
  const { outcome } = await place.run([declare('a'), declare('b')]);
  t.deepEqual(outcome('a').origin, {
    kind: 'unknown',
    because: 'the run before this one broke off',
  });
  place.world.things.set('b', 'by hand');
  t.is(kind((await place.run([declare('a'), declare('b')])).outcome('b')), 'drift');
});

test('a command that runs for the first time may have changed anything', async (t) => {
  const place = here();
  await place.run([declare('a'), declare('b')]);
  const command = declare('new command', { type: 'toy.maybe' });
  place.world.things.set('a', 'by hand');
  place.world.things.set('b', 'by hand');
  const { outcome } = await place.run([declare('a'), command, declare('b')]);
  t.is(kind(outcome('a')), 'drift');
  t.like(outcome('b').origin, {
    kind: 'unknown',
    because: '"new command" changed before it in this run',
  });
});

test('a command runs again because its guard says so: the host has moved', async (t) => {
  const place = here();
  const guards = { creates: ['/there'] };
  const tree = [
    declare('guarded', { type: 'toy.hidden', guards }),
    declare('always', { type: 'toy.hidden' }),
  ];
  const first = await place.run(tree);
  t.is(kind(first.outcome('guarded')), 'intended');
  place.world.things.delete('guarded');
  place.world.things.delete('always');
  const { outcome } = await place.run(tree);
  t.deepEqual([kind(outcome('guarded')), kind(outcome('always'))], ['drift', 'intended']);
});

test('what its guards found done counts as done', async (t) => {
  const place = here();
  const tree = [declare('a', { type: 'toy.hidden', guards: { unless: ['true'] } })];
  const skipped = await place.run(tree, { host: { commands: { [GUARD]: { exitCode: 0 } } } });
  t.is(skipped.outcome('a').status, 'skipped');
  const { outcome } = await place.run(tree, { host: { commands: { [GUARD]: { exitCode: 1 } } } });
  t.is(kind(outcome('a')), 'drift');
});

test('where memory is lost nobody knows, and what is unknown stays so until it is done', async (t) => {
  const place = here();
  const tree = [declare('a'), declare('b')];
  await place.run(tree);
  place.world.things.set('a', 'by hand');
  place.world.things.set('b', 'by hand');
  rmSync(join(place.directory, 'wanted.json'));
  breaking(place.world, 'set b=new');
  const second = await place.run(tree);
  t.deepEqual(second.outcome('a').origin, {
    kind: 'unknown',
    because: 'what was wanted before is not remembered',
  });
  place.world.interfere = () => undefined;
  place.world.things.set('a', 'by hand');
  const third = await place.run([...tree, declare('c')]);
  t.deepEqual(third.outcomes.map(kind), ['drift', 'unknown', 'intended']);
});

test('a damaged memory is a lost one, and no secret can be read from what is kept', async (t) => {
  const place = here();
  const tree = [declare('a', { type: 'toy.hidden', password: 'hunter2' }), declare('b')];
  await place.run(tree);
  t.notRegex(readFileSync(join(place.directory, 'wanted.json'), 'utf8'), /hunter2|"a"|new/u);
  writeFileSync(join(place.directory, 'wanted.json'), '{"version":1');
  place.world.things.set('b', 'by hand');
  t.is(kind((await place.run(tree)).outcome('b')), 'unknown');
});

test('a dry run writes nothing down and does not take a corrupt memory away', async (t) => {
  const directory = newDirectory();
  const path = join(directory, 'wanted.json');
  writeFileSync(path, 'not this');
  const told: string[] = [];
  const wanted = openWanted(directory, { dryRun: true, onCorrupt: (why) => told.push(why) });
  wanted.begin();
  wanted.settle('a', { asked: 'x', wanted: null });
  wanted.end({ keys: ['a'], isWhole: true });
  t.deepEqual(readdirSync(directory), ['wanted.json']);
  t.is(readFileSync(path, 'utf8'), 'not this');
  t.is(told.length, 1);
});
