import test from 'ava';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { declare, newDirectory, run, toyWorld } from '../../../helpers/toy-world.ts';

const CHECK = '/bin/bash -c exec /bin/sh -c "$0" > >(exec cat) 2>&1 eval "$(cat)"';

const TYPES = ['toy.set', 'toy.text'] as const;

/** What a run says of `a` when a later one wants something else, and knows these secrets. */
async function after(type: string, value: string, secrets: readonly string[]): Promise<string> {
  const world = toyWorld();
  const directory = newDirectory();
  await run([declare('a', { type, value: 'pw=s3cret' })], {
    world,
    directory,
    secrets: ['s3cret'],
  });
  const said = [];
  for (const dryRun of [true, false]) {
    const { outcomes } = await run([declare('a', { type, value })], {
      world,
      directory,
      secrets,
      dryRun,
    });
    said.push(JSON.stringify(outcomes));
  }
  return said.join('\n');
}

for (const type of TYPES) {
  test(`${type}: a secret that is none any more is not shown where it stood`, async (t) => {
    for (const secrets of [[], ['0ther']]) {
      const said = await after(type, 'pw=plain', secrets);
      t.false(said.includes('s3cret'), said);
      t.true(said.includes('pw=plain'));
    }
  });
}

test('while it is one, only it is blanked', async (t) => {
  const said = await after('toy.text', 'pw=plain', ['s3cret', 'more']);
  t.false(said.includes('s3cret'));
  t.true(said.includes('-pw=secret(#6)'));
});

test('once it is gone, all is shown again', async (t) => {
  const world = toyWorld();
  const directory = newDirectory();
  for (const [value, secrets] of [
    ['s3cret', ['s3cret']],
    ['plain', []],
  ] as const)
    await run([declare('a', { value })], { world, directory, secrets });
  const { outcome } = await run([declare('a', { value: 'other' })], { world, directory });
  t.like(outcome('a').change, { from: { value: 'plain' }, to: { value: 'other' } });
});

test('a secret is remembered with the thing that holds it, whichever state manages that', async (t) => {
  const world = toyWorld();
  const directory = newDirectory();
  const type = 'toy.provider';
  const first = declare('a', { type, value: 'pw=s3cret' });
  await run([first], { world, directory, secrets: ['s3cret'] });
  const other = declare('b', { type, args: { name: 'a', value: 'pw=plain' } });
  const { outcomes } = await run([other], { world, directory });
  t.false(JSON.stringify(outcomes).includes('s3cret'));
});

test('also if the run failed that put it there, and where memory is lost', async (t) => {
  const world = toyWorld();
  const directory = newDirectory();
  const checked = declare('a', { value: 'pw=s3cret', checkCommands: ['false'] });
  const host = { commands: { [CHECK]: { exitCode: 1 } } };
  const failed = await run([checked], { world, directory, host, secrets: ['s3cret'] });
  t.deepEqual(failed.statuses, ['a: failed']);
  t.is(world.things.get('a'), 'pw=s3cret');
  const next = await run([declare('a', { value: 'pw=plain' })], { world, directory });
  t.false(JSON.stringify(next.outcomes).includes('s3cret'));

  world.things.set('a', 'pw=s3cret');
  rmSync(join(directory, 'wanted.json'));
  const lost = await run([declare('a', { value: 'pw=plain' })], { world, directory, dryRun: true });
  t.false(JSON.stringify(lost.outcomes).includes('s3cret'));
});
