import test from 'ava';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Declaration } from '../../../language/declaration.ts';
import { openJournal } from '../../../minion/engine/owed.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { outcomeSchema } from '../../../protocol/report.ts';
import type { Outcome } from '../../../protocol/report.ts';
import type { HostState } from '../../helpers/fake-host.ts';
import { cannot, declare, newDirectory, run, toyWorld } from '../../helpers/toy-world.ts';
import type { ToyDeclaration, ToyWorld } from '../../helpers/toy-world.ts';

const GUARD = '/bin/bash -c exec /bin/sh -c "$0" > >(exec cat) 2>&1 eval "$(cat)"';

function breaking(things: Readonly<Record<string, string>>, ...what: string[]): ToyWorld {
  const world = toyWorld(things);
  world.interfere = (action) => {
    if (what.includes(action)) throw cannot(action);
  };
  return world;
}

// Order, outcomes, events

test('brings a catalog about in its order, and a second run changes nothing', async (t) => {
  const world = toyWorld({ b: 'old', c: 'new' });
  const catalog = [declare('a'), declare('b'), declare('c')];
  const first = await run(catalog, { world });
  t.deepEqual(first.statuses, ['a: changed', 'b: changed', 'c: unchanged']);
  t.deepEqual(world.did, ['set a=new', 'set b=new']);
  const second = await run(catalog, { world });
  t.deepEqual(second.statuses, ['a: unchanged', 'b: unchanged', 'c: unchanged']);
  t.is(world.did.length, 2);
});

test('every outcome fits the schema of reports and is told as it comes', async (t) => {
  const { events, outcomes } = await run([declare('a'), declare('b')], { world: toyWorld() });
  for (const outcome of outcomes) t.notThrows(() => outcomeSchema.parse(outcome));
  t.deepEqual(
    events.map((event) => (event.event === 'outcome' ? `done ${event.number}` : event.event)),
    ['started', 'done 1', 'started', 'done 2'],
  );
  t.like(events[0], { event: 'started', number: 1, total: 2, id: 'a', type: 'toy.set' });
});

test('a failure tells its code, its message and the end of the output', async (t) => {
  const { outcome } = await run([declare('a')], { world: breaking({}, 'set a=new') });
  t.like(outcome('a'), {
    status: 'failed',
    place: 'states/toy.yaml:1:1',
    error: { code: 'COMMAND_FAILED', message: 'Cannot set a=new: the test says so', output: 'boo' },
  });
});

test('what is thrown by mistake is called a bug, and fails only its state', async (t) => {
  const world = toyWorld();
  world.interfere = (what) => {
    if (what === 'set a=new') throw new TypeError('undefined is not a function');
  };
  const { statuses, outcome } = await run([declare('a'), declare('b')], { world });
  t.deepEqual(statuses, ['a: failed', 'b: changed']);
  t.like(outcome('a').error, { code: 'BUG' });
});

test('text differences are shown as a diff, other attributes as values', async (t) => {
  const world = toyWorld({ a: 'one\ntwo\n', b: 'one' });
  const { outcome } = await run(
    [declare('a', { type: 'toy.text', value: 'one\n2\n' }), declare('b', { value: 'two' })],
    { world },
  );
  t.regex(outcome('a').diff ?? '', /^-two\n\+2$/mu);
  t.deepEqual(outcome('a').change, {
    action: 'update',
    from: { value: '8 bytes (#8)' },
    to: { value: '6 bytes (#6)' },
  });
  t.deepEqual(outcome('b').change, {
    action: 'update',
    from: { value: 'one' },
    to: { value: 'two' },
  });
});

test('no secret is ever told: not by name, not by value, not in a diff or an error', async (t) => {
  const world = breaking({ diff: 'was s3cret\n' }, 'set broken s3cret=new');
  const { outcomes, events } = await run(
    [
      declare('by name', { type: 'toy.hidden', password: 'hunter2' }),
      declare('by value', { value: 'has s3cret in it' }),
      declare('diff', { type: 'toy.text', value: 'is s3cret\n' }),
      declare('broken s3cret'),
    ],
    { world, secrets: ['s3cret'] },
  );
  const told = JSON.stringify([outcomes, events]);
  t.notRegex(told, /s3cret|hunter2/u);
  t.true(told.includes('secret(#7)'));
  t.true(told.includes('has secret(#6) in it'));
  t.is(outcomes.at(-1)?.status, 'failed');
});

function longText(letter: string): string {
  return `${letter.repeat(100)}\n`.repeat(300);
}

test('a report holds only so much of differences', async (t) => {
  const names = Array.from({ length: 90 }, (_, number) => `t${number}`);
  const world = toyWorld(Object.fromEntries(names.map((name) => [name, longText('a')])));
  const { outcomes } = await run(
    names.map((name) => declare(name, { type: 'toy.text', value: longText('b') })),
    { world },
  );
  const size = outcomes.map(({ diff = '' }) => diff.length).reduce((sum, each) => sum + each);
  t.true(size < 4.5 * 1024 * 1024 && size > 3.5 * 1024 * 1024, `${size}`);
  t.regex(outcomes.at(-1)?.diff ?? '', /not shown/u);
});

// Requisites

test('require: what needs something broken is skipped, and so is what needs that', async (t) => {
  const { statuses, outcome } = await run(
    [
      declare('a'),
      declare('b', { requires: { require: ['a'] } }),
      declare('c', { requires: { require: ['b'] } }),
      declare('d'),
    ],
    { world: breaking({}, 'set a=new') },
  );
  t.deepEqual(statuses, ['a: failed', 'b: skipped', 'c: skipped', 'd: changed']);
  t.is(outcome('b').because, '"a", which it needs, has failed');
  t.true(outcome('c').blocked);
  t.is(outcome('d').blocked, undefined);
});

test('require_any: one that is not broken is enough', async (t) => {
  const world = breaking({}, 'set a=new', 'set b=new');
  const some = declare('x', { requires: { require_any: ['a', 'c'] } });
  const none = declare('y', { requires: { require_any: ['a', 'b'] } });
  const { statuses } = await run([declare('a'), declare('b'), declare('c'), some, none], { world });
  t.deepEqual(statuses.slice(3), ['x: changed', 'y: skipped']);
});

test('watch: reacts after a change and not without one', async (t) => {
  const world = toyWorld({ service: 'new' });
  const catalog = [declare('config'), declare('service', { requires: { watch: ['config'] } })];
  const first = await run(catalog, { world });
  t.deepEqual(world.did, ['set config=new', 'kick service']);
  t.like(first.outcome('service'), { status: 'changed', reaction: 'kicked' });
  t.deepEqual(first.journal.all(), []);
  const second = await run(catalog, { world });
  t.deepEqual(second.statuses, ['config: unchanged', 'service: unchanged']);
});

test('watch: a change of its own does not swallow the reaction', async (t) => {
  const world = toyWorld({ service: 'old' });
  await run([declare('config'), declare('service', { requires: { watch: ['config'] } })], {
    world,
  });
  t.deepEqual(world.did, ['set config=new', 'set service=new', 'kick service']);
});

test('watch: a type that cannot react takes it as require', async (t) => {
  const world = toyWorld({ b: 'new' });
  const watcher = declare('b', { type: 'toy.mute', requires: { watch: ['a'] } });
  const { statuses, journal } = await run([declare('a'), watcher], { world });
  t.deepEqual(statuses, ['a: changed', 'b: unchanged']);
  t.deepEqual(journal.all(), []);
});

test('watch_any: reacts to one change while another target is broken', async (t) => {
  const world = breaking({ service: 'new' }, 'set a=new');
  const service = declare('service', { requires: { watch_any: ['a', 'b'] } });
  await run([declare('a'), declare('b'), service], { world });
  t.deepEqual(world.did, ['set b=new', 'kick service']);
});

test('a reaction counts as a change for those that watch it', async (t) => {
  const world = toyWorld({ b: 'new', c: 'new' });
  await run(
    [
      declare('a'),
      declare('b', { requires: { watch: ['a'] } }),
      declare('c', { requires: { watch: ['b'] } }),
    ],
    { world },
  );
  t.deepEqual(world.did, ['set a=new', 'kick b', 'kick c']);
});

test('onchanges: runs only if something has changed', async (t) => {
  const world = toyWorld({ quiet: 'new' });
  const { statuses, outcome } = await run(
    [
      declare('quiet'),
      declare('loud'),
      declare('x', { requires: { onchanges: ['quiet'] } }),
      declare('y', { requires: { onchanges: ['quiet', 'loud'] } }),
      declare('z', { requires: { require: ['x'] } }),
    ],
    { world },
  );
  t.deepEqual(statuses.slice(2), ['x: skipped', 'y: changed', 'z: changed']);
  t.is(outcome('x').because, '"quiet" has not changed');
});

test('onchanges: a broken target breaks it, onchanges_any takes another', async (t) => {
  const world = breaking({}, 'set a=new');
  const { statuses } = await run(
    [
      declare('a'),
      declare('b'),
      declare('x', { requires: { onchanges: ['a', 'b'] } }),
      declare('y', { requires: { onchanges_any: ['a', 'b'] } }),
      declare('z', { requires: { require: ['x'] } }),
    ],
    { world },
  );
  t.deepEqual(statuses.slice(2), ['x: skipped', 'y: changed', 'z: skipped']);
});

test('what turns out to have changed nothing is unchanged, and nobody owes it a reaction', async (t) => {
  const world = toyWorld({ b: 'new', w: 'new' });
  const catalog = [
    declare('a', { type: 'toy.maybe', value: 'nothing' }),
    declare('b', { type: 'toy.maybe', value: 'new' }),
    declare('w', { requires: { watch: ['a'] } }),
    declare('x', { requires: { onchanges: ['a'] } }),
  ];
  const foreseen = await run(catalog, { world, dryRun: true });
  t.is(foreseen.statuses[0], 'a: unknown');
  t.is(foreseen.outcome('a').because, 'nobody knows');
  const first = await run(catalog, { world });
  t.deepEqual(first.statuses, ['a: unchanged', 'b: unchanged', 'w: unchanged', 'x: skipped']);
  t.deepEqual(world.did, ['try a']);
  t.deepEqual(first.journal.all(), []);
  t.is(first.outcome('b').reaction, 'new');
});

test('onfail: runs only after a failure; onfail_all only after all', async (t) => {
  const world = breaking({}, 'set a=new');
  const { statuses, outcome } = await run(
    [
      declare('a'),
      declare('b'),
      declare('one', { requires: { onfail: ['a', 'b'] } }),
      declare('other', { requires: { onfail_any: ['b'] } }),
      declare('all', { requires: { onfail_all: ['a', 'b'] } }),
      declare('each', { requires: { onfail_all: ['a'] } }),
    ],
    { world },
  );
  t.deepEqual(statuses.slice(2), [
    'one: changed',
    'other: skipped',
    'all: skipped',
    'each: changed',
  ]);
  t.is(outcome('other').because, '"b" has not failed');
});

test('prereq: prepares only for a change that is about to come', async (t) => {
  const stop = declare('stop', { requires: { prereq: ['upgrade'] } });
  const needed = toyWorld({ upgrade: 'old' });
  await run([stop, declare('upgrade')], { world: needed });
  t.deepEqual(needed.did, ['set stop=new', 'set upgrade=new']);

  const idle = toyWorld({ upgrade: 'new' });
  const { statuses } = await run([stop, declare('upgrade')], { world: idle });
  t.deepEqual(statuses, ['stop: skipped', 'upgrade: unchanged']);
});

test('prereq: what could not be prepared for does not happen', async (t) => {
  const world = breaking({ upgrade: 'old' }, 'set stop=new');
  const stop = declare('stop', { requires: { prereq: ['upgrade'] } });
  const { statuses } = await run([stop, declare('upgrade')], { world });
  t.deepEqual(statuses, ['stop: failed', 'upgrade: skipped']);
  t.is(world.things.get('upgrade'), 'old');
});

test('prereq: what cannot be foreseen is prepared for, what is guarded is not', async (t) => {
  const stop = declare('stop', { requires: { prereq: ['upgrade'] } });
  const unclear = toyWorld();
  let reads = 0;
  unclear.interfere = (what) => {
    if (what === 'read upgrade' && (reads += 1) === 1) throw cannot(what);
  };
  await run([stop, declare('upgrade')], { world: unclear });
  t.deepEqual(unclear.did, ['set stop=new', 'set upgrade=new']);

  const guarded = declare('upgrade', { guards: { creates: ['/etc/done'] } });
  const host = { files: { '/etc/done': '' } };
  const { statuses } = await run([stop, guarded], { world: toyWorld(), host });
  t.deepEqual(statuses, ['stop: skipped', 'upgrade: skipped']);
});

test('listen: reacts once, at the end, whatever number of states it listens to', async (t) => {
  const world = toyWorld({ service: 'new' });
  const { outcome, outcomes, events } = await run(
    [declare('service', { requires: { listen: ['a', 'b'] } }), declare('a'), declare('b')],
    { world },
  );
  t.deepEqual(world.did, ['set a=new', 'set b=new', 'kick service']);
  t.like(outcome('service'), { status: 'changed', reaction: 'kicked' });
  t.is(outcomes.length, 3);
  t.like(events.at(-1), { event: 'outcome', number: 1, outcome: { reaction: 'kicked' } });
});

test('listen: a reaction that fails is a failure and stays owed', async (t) => {
  const world = breaking({ service: 'new' }, 'kick service');
  const { outcome, journal } = await run(
    [declare('service', { requires: { listen: ['a'] } }), declare('a')],
    { world },
  );
  t.is(outcome('service').status, 'failed');
  t.deepEqual(
    journal.all().map(({ key, kind, because }) => [key, kind, because]),
    [['service', 'listen', 'a']],
  );
});

// Guards, checks, retry, timeouts, failhard

async function ask(guards: Partial<Declaration['guards']>, host: HostState): Promise<Outcome> {
  return (await run([declare('a', { guards })], { world: toyWorld(), host })).outcome('a');
}

test('unless, onlyif and creates decide on the host whether a state runs', async (t) => {
  const yes = { commands: { [GUARD]: '' }, files: { '/there': '' } };
  const no = { commands: { [GUARD]: { exitCode: 1 } } };
  t.is((await ask({ unless: ['true'] }, yes)).because, 'unless: the condition holds');
  t.is((await ask({ unless: ['false'] }, no)).status, 'changed');
  t.is((await ask({ onlyif: ['true'] }, yes)).status, 'changed');
  t.is((await ask({ onlyif: ['false'] }, no)).because, 'onlyif: the condition does not hold');
  t.is(
    (await ask({ onlyif: ['flase'] }, { commands: { [GUARD]: { exitCode: 127 } } })).because,
    'onlyif: a program of "flase" is not there, so the condition does not hold',
  );
  t.is((await ask({ creates: ['/there'] }, yes)).because, 'creates: "/there" exists');
  t.is((await ask({ creates: ['/there', '/not'] }, yes)).status, 'changed');
});

test('what an earlier start was killed in has failed, if a guard would skip it', async (t) => {
  const guarded = { guards: { creates: ['/half'] } };
  const states = [declare('a', guarded), declare('b', { requires: { require: ['a'] } })];
  const begun: string[] = [];
  const begins = (key: string): void => void begun.push(key);
  await run(states, { world: toyWorld(), begins });
  const [key = ''] = begun;
  t.deepEqual(begun, [states[0]?.key], 'only of what has guards');
  const unfinished = new Map([[key, '2026-11-29T20:00:00.000Z']]);
  const again = { unfinished, host: { files: { '/half': '' } } };
  const { outcome, statuses } = await run(states, { world: toyWorld(), ...again });
  t.deepEqual(statuses, ['a: failed', 'b: skipped']);
  t.regex(
    outcome('a').error?.message ?? '',
    /begun at 2026-11-29T20:00:00.000Z and killed .*creates: "\/half" exists/u,
  );
  const redone = await run(states, { world: toyWorld(), unfinished });
  t.deepEqual(redone.statuses, ['a: changed', 'b: changed']);
});

test('a state that a guard skips is fine for those that need it', async (t) => {
  const host = { files: { '/there': '' } };
  const { statuses } = await run(
    [
      declare('a', { guards: { creates: ['/there'] } }),
      declare('b', { requires: { require: ['a'] } }),
    ],
    { world: toyWorld(), host },
  );
  t.deepEqual(statuses, ['a: skipped', 'b: changed']);
});

test('check_cmd: a state whose check fails has failed, though it converged', async (t) => {
  const host = { commands: { [GUARD]: { exitCode: 3, stderr: 'no good' } } };
  const { outcome } = await run([declare('a', { checkCommands: ['visudo -c'] })], {
    world: toyWorld(),
    host,
  });
  t.like(outcome('a'), { status: 'failed', error: { code: 'CHECK_FAILED', output: 'no good' } });
});

test('what a check does not accept is reported with the change that it was about', async (t) => {
  const states = [
    declare('a', { type: 'toy.refused', value: 'rejected' }),
    declare('b', { type: 'toy.refused', value: 'impossible' }),
  ];
  for (const dryRun of [true, false]) {
    const { outcome } = await run(states, { world: toyWorld(), dryRun });
    const error = { code: 'CHECK_FAILED' };
    const change = { action: 'create', to: { value: 'rejected' } } as const;
    t.like(outcome('a'), { status: 'failed', error, change, origin: undefined });
    t.like(outcome('b'), { status: 'failed', change: undefined });
  }
});

test('retry: tries again until it works, and says how often', async (t) => {
  const world = toyWorld();
  let failures = 2;
  world.interfere = (what) => {
    if (what.startsWith('set') && failures > 0) {
      failures -= 1;
      throw cannot(what);
    }
  };
  const retry = { attempts: 3, intervalSeconds: 1, splaySeconds: 0 };
  const { outcome } = await run([declare('a', { retry })], { world });
  t.like(outcome('a'), { status: 'changed', attempts: 3 });
});

test('retry: what a failed attempt has changed is told, though the last one finds it done', async (t) => {
  const world = toyWorld();
  let failures = 1;
  world.interfere = (what) => {
    if (what !== 'set a=new' || failures === 0) return;
    failures -= 1;
    world.things.set('a', 'new');
    throw cannot(what);
  };
  const retry = { attempts: 2, intervalSeconds: 1, splaySeconds: 0 };
  const { outcome } = await run([declare('a', { retry })], { world });
  t.like(outcome('a'), { status: 'changed', attempts: 2 });
  t.truthy(outcome('a').change);
});

test('retry: the last failure is the outcome', async (t) => {
  const retry = { attempts: 2, intervalSeconds: 1, splaySeconds: 0 };
  const { outcome } = await run([declare('a', { retry })], { world: breaking({}, 'set a=new') });
  t.like(outcome('a'), { status: 'failed', attempts: 2, error: { code: 'COMMAND_FAILED' } });
});

test('a state that will not end in its time is given up, and the run with it', async (t) => {
  const world = toyWorld();
  world.interfere = (what) => (what === 'set a=new' ? new Promise(() => undefined) : undefined);
  const { statuses, outcome } = await run([declare('a', { timeoutSeconds: 0.05 }), declare('b')], {
    world,
    patienceMs: 20,
  });
  t.deepEqual(statuses, ['a: failed', 'b: skipped']);
  t.is(outcome('a').error?.code, 'COMMAND_TIMEOUT');
  t.regex(outcome('b').because ?? '', /"a" could not be ended/u);
  t.is(outcome('b').blocked, undefined, 'nothing that it needs has failed');
});

test('a state that ends late fails alone', async (t) => {
  const world = toyWorld();
  world.interfere = async (what) => {
    if (what !== 'set a=new') return;
    await new Promise((resolve) => {
      setTimeout(resolve, 80);
    });
    throw new ConductorError('COMMAND_TIMEOUT', 'Cannot finish "a": it took longer than 0.02 s');
  };
  const { statuses } = await run([declare('a', { timeoutSeconds: 0.02 }), declare('b')], {
    world,
    patienceMs: 5000,
  });
  t.deepEqual(statuses, ['a: failed', 'b: changed']);
});

test('failhard: a failure ends the run', async (t) => {
  const { statuses, outcome } = await run([declare('a', { failhard: true }), declare('b')], {
    world: breaking({}, 'set a=new'),
  });
  t.deepEqual(statuses, ['a: failed', 'b: skipped']);
  t.is(outcome('b').because, 'the run has ended: "a" failed (failhard)');
});

test('a cancelled run ends with the state that is under way', async (t) => {
  const cancel = new AbortController();
  const world = toyWorld();
  world.interfere = (what) => {
    if (what !== 'set b=new') return;
    cancel.abort(new ConductorError('CANCELLED', 'the run was cancelled'));
    throw cancel.signal.reason;
  };
  const { statuses, outcome } = await run([declare('a'), declare('b'), declare('c')], {
    world,
    signal: cancel.signal,
  });
  t.deepEqual(statuses, ['a: changed', 'b: failed', 'c: skipped']);
  t.is(outcome('c').because, 'the run has ended: the run was cancelled');
});

// Dry runs

test('a dry run foresees what a run does, and does nothing', async (t) => {
  const world = toyWorld({ config: 'old', service: 'new', quiet: 'new', ear: 'new' });
  const catalog = [
    declare('config'),
    declare('service', { requires: { watch: ['config'] } }),
    declare('after', { requires: { onchanges: ['config'] } }),
    declare('never', { requires: { onchanges: ['quiet'] } }),
    declare('quiet'),
    declare('ear', { requires: { listen: ['config'] } }),
  ];
  const directory = newDirectory();
  const foreseen = await run(catalog, { world, dryRun: true, directory });
  t.deepEqual(foreseen.statuses, [
    'config: would-change',
    'service: would-change',
    'after: would-change',
    'never: skipped',
    'quiet: unchanged',
    'ear: would-change',
  ]);
  t.deepEqual(world.did, []);
  t.deepEqual(readdirSync(directory), []);
  t.truthy(foreseen.outcome('service').reaction);

  const made = await run(catalog, { world });
  t.deepEqual(
    made.outcomes.filter(({ status }) => status === 'changed').map(({ id }) => id),
    foreseen.outcomes.filter(({ status }) => status === 'would-change').map(({ id }) => id),
  );
});

test('a dry run does not know what cannot be read before others have changed', async (t) => {
  const world = breaking({}, 'read b');
  const { statuses, outcome } = await run(
    [declare('a'), declare('b', { requires: { require: ['a'] } })],
    { world, dryRun: true },
  );
  t.deepEqual(statuses, ['a: would-change', 'b: unknown']);
  t.regex(outcome('b').because ?? '', /^"a" would change first; as things are: Cannot read b/u);
});

test('a dry run calls a failure what nothing before it would mend', async (t) => {
  const world = breaking({ a: 'new' }, 'read b');
  const { statuses } = await run([declare('a'), declare('b', { requires: { require: ['a'] } })], {
    world,
    dryRun: true,
  });
  t.deepEqual(statuses, ['a: unchanged', 'b: failed']);
});

/** What a dry run says of `b`, which lacks something, behind an `a` that would change. */
async function lacking(lacks: readonly string[], earlier: ToyDeclaration = {}): Promise<string> {
  const world = toyWorld();
  world.interfere = (what) => {
    if (what !== 'read b') return;
    throw new ConductorError('STATE_REFUSED', 'Cannot make b', { lacks });
  };
  const { outcome } = await run([declare('a', earlier), declare('b')], { world, dryRun: true });
  return `${outcome('b').status}: ${outcome('b').because ?? outcome('b').error?.message}`;
}

test('a dry run waits only for what may bring about what a state lacks', async (t) => {
  const provider = { type: 'toy.provider' };
  t.is(await lacking(['user:x']), 'failed: Cannot make b', 'a toy is no user');
  t.regex(await lacking(['user:x', 'toy:a'], provider), /^unknown: "a" would change first/u);
  t.regex(await lacking(['path:/srv/a/b'], provider), /^unknown/u, 'a makes /srv/a');
  t.regex(await lacking(['path:/srv'], provider), /^unknown/u, 'and what is above');
  t.is(await lacking(['path:/srv/ab'], provider), 'failed: Cannot make b');
  t.is(await lacking([]), 'unknown: "a" would change first; as things are: Cannot make b');
  t.is(await lacking([], { type: 'other.kind' }), 'failed: Cannot make b', 'of another kind');
  for (const type of ['toy.hidden', 'toy.open'])
    t.regex(await lacking(['user:x'], { type }), /^unknown: "a", which may bring it about,/u);
});

test('a dry run says that an earlier state would take away what a later one is about or needs', async (t) => {
  const taker = declare('x', { type: 'toy.taker' });
  for (const type of ['toy.provider', 'toy.user']) {
    const later = declare('later', { type, args: { name: 'x', value: 'new' } });
    const moving = await run([taker, later], { world: toyWorld(), dryRun: true });
    t.deepEqual(moving.statuses, ['x: would-change', 'later: unknown'], type);
    t.is(
      moving.outcome('later').because,
      '"x" would change first, and takes away what this is about or needs',
    );
    const still = await run([taker, later], { world: toyWorld({ x: 'new' }), dryRun: true });
    t.deepEqual(still.statuses, ['x: unchanged', 'later: unchanged'], type);
  }
  const other = declare('later', { type: 'toy.user', args: { name: 'xy', value: 'new' } });
  const { statuses } = await run([taker, other], { world: toyWorld(), dryRun: true });
  t.deepEqual(statuses, ['x: would-change', 'later: would-change']);
});

test('a dry run does not foresee a text that an earlier state would write first', async (t) => {
  const catalog = ['a', 'b'].map((name) => declare(name, { type: 'toy.content' }));
  const { statuses, outcome } = await run(catalog, { world: toyWorld(), dryRun: true });
  t.deepEqual(statuses, ['a: would-change', 'b: unknown']);
  t.is(outcome('b').because, '"a" would change first, and this is about the same file');
  const still = await run(catalog, { world: toyWorld({ a: 'new' }), dryRun: true });
  t.deepEqual(still.statuses, ['a: unchanged', 'b: would-change']);
});

test('a dry run names what is sure to change, not what only may', async (t) => {
  const world = toyWorld();
  world.interfere = (what) => {
    if (what !== 'read b' && what !== 'read c') return;
    throw new ConductorError('STATE_REFUSED', `Cannot ${what}`);
  };
  const catalog = [declare('a'), declare('b'), declare('c', { requires: { require: ['b'] } })];
  const { outcome } = await run(catalog, { world, dryRun: true });
  t.is(
    outcome('b').because,
    '"a", which comes before it, would change first; as things are: Cannot read b',
  );
  t.is(outcome('c').because, '"b" may change first; as things are: Cannot read c');
});

test('a dry run does not trust a guard whose ground would change', async (t) => {
  const host = { commands: { [GUARD]: '' } };
  const guarded = declare('b', { guards: { unless: ['x'] }, requires: { require: ['a'] } });
  const moving = await run([declare('a'), guarded], { world: toyWorld(), host, dryRun: true });
  t.deepEqual(moving.statuses, ['a: would-change', 'b: unknown']);
  const still = await run([declare('a'), guarded], {
    world: toyWorld({ a: 'new' }),
    host,
    dryRun: true,
  });
  t.deepEqual(still.statuses, ['a: unchanged', 'b: skipped']);
});

test('a dry run does not promise what a guard may forbid once its ground has changed', async (t) => {
  const guarded = declare('c', { guards: { unless: ['x'] }, requires: { require: ['b'] } });
  const middle = declare('b', { requires: { require: ['a'] } });
  const host = { commands: { [GUARD]: { exitCode: 1 } } };
  const moving = await run([declare('a'), middle, guarded], {
    world: toyWorld({ b: 'new' }),
    host,
    dryRun: true,
  });
  t.deepEqual(moving.statuses, ['a: would-change', 'b: unchanged', 'c: unknown']);
  t.is(
    moving.outcome('c').because,
    'as things are it would change, but "a" would change first: its unless may then say otherwise',
  );
  const still = await run([declare('a'), middle, guarded], {
    world: toyWorld({ a: 'new', b: 'new' }),
    host,
    dryRun: true,
  });
  t.deepEqual(still.statuses.slice(2), ['c: would-change']);
});

test('a dry run does not trust a guard about a path that an earlier state would bring', async (t) => {
  const provider = declare('a', { type: 'toy.provider' });
  const host = { commands: { [GUARD]: { exitCode: 1 } } };
  const statusOf = async (guards: object): Promise<unknown> => {
    const guarded = declare('c', { guards: { unless: [], onlyif: [], creates: [], ...guards } });
    const made = await run([provider, guarded], { world: toyWorld(), host, dryRun: true });
    return made.outcome('c').because ?? made.outcome('c').status;
  };
  const because = 'as things are it would change, but "a" would change first: its';
  t.is(
    await statusOf({ unless: ['test -e "/srv/a"'] }),
    `${because} unless may then say otherwise`,
  );
  t.is(await statusOf({ creates: ['/srv/a'] }), `${because} creates may then say otherwise`);
  t.is(await statusOf({ unless: ['test -e /srv/ab'] }), 'would-change');
});

test('a dry run does not know whether a listener would react to what is unknown', async (t) => {
  const world = breaking({ service: 'new', other: 'new' }, 'read b');
  const { statuses, outcome } = await run(
    [
      declare('a'),
      declare('b', { requires: { require: ['a'] } }),
      declare('service', { requires: { listen: ['b'] } }),
      declare('other', { requires: { listen: ['b', 'a'] } }),
    ],
    { world, dryRun: true },
  );
  t.deepEqual(statuses.slice(1), ['b: unknown', 'service: unknown', 'other: would-change']);
  t.regex(outcome('service').because ?? '', /"b", which it listens to, would change/u);
});

test('what follows from others is not known while they would change', async (t) => {
  const derived = declare('b', { type: 'toy.derived', requires: { require: ['a'] } });
  const moving = await run([declare('a'), derived], {
    world: toyWorld({ b: 'new' }),
    dryRun: true,
  });
  t.deepEqual(moving.statuses, ['a: would-change', 'b: unknown']);
  t.is(moving.outcome('b').because, '"a" would change first, and it follows from that');
  const still = await run([declare('a'), derived], {
    world: toyWorld({ a: 'new', b: 'new' }),
    dryRun: true,
  });
  t.deepEqual(still.statuses, ['a: unchanged', 'b: unchanged']);
  const made = await run([declare('a'), derived], { world: toyWorld({ b: 'new' }) });
  t.deepEqual(made.statuses, ['a: changed', 'b: unchanged']);
});

test('a dry run passes on that it does not know', async (t) => {
  const world = breaking({ service: 'new' }, 'read b');
  const { statuses } = await run(
    [
      declare('a'),
      declare('b', { requires: { require: ['a'] } }),
      declare('c', { requires: { onchanges: ['b'] } }),
      declare('service', { requires: { watch: ['b'] } }),
    ],
    { world, dryRun: true },
  );
  t.deepEqual(statuses.slice(1), ['b: unknown', 'c: unknown', 'service: unknown']);
});

// What is owed

const config = declare('config');
const service = declare('service', { requires: { watch: ['config'] } });

test('a reaction that failed is owed, and paid by a later run that changes nothing', async (t) => {
  const directory = newDirectory();
  const world = breaking({ service: 'new' }, 'kick service');
  const first = await run([config, service], { world, directory });
  t.deepEqual(first.statuses, ['config: changed', 'service: failed']);
  t.is(first.journal.all().length, 1);

  world.interfere = () => undefined;
  const foreseen = await run([config, service], { world, directory, dryRun: true });
  t.deepEqual(foreseen.statuses, ['config: unchanged', 'service: would-change']);

  const second = await run([config, service], { world, directory });
  t.deepEqual(second.statuses, ['config: unchanged', 'service: changed']);
  t.regex(second.outcome('service').reaction ?? '', /^kicked \(owed since 20/u);
  t.deepEqual(second.journal.all(), []);

  const third = await run([config, service], { world, directory });
  t.deepEqual(third.statuses, ['config: unchanged', 'service: unchanged']);
});

/** A kill: the run stops where it is and nothing after it happens. */
class Killed extends Error {}

test('killed after any step, the next run still converges and makes every reaction', async (t) => {
  const catalog = [
    declare('early', { requires: { listen: ['config'] } }),
    config,
    service,
    declare('after', { requires: { onchanges: ['config'] }, value: 'run' }),
  ];
  const begin = { service: 'new', early: 'new' };
  const whole = toyWorld(begin);
  await run(catalog, { world: whole });
  t.deepEqual(whole.did, ['set config=new', 'kick service', 'set after=run', 'kick early']);

  // Before an effect, or after it: either way the run never gets to say so.
  for (const step of whole.did) {
    for (const when of ['before', 'after'] as const) {
      const directory = newDirectory();
      const world = toyWorld(begin);
      world.interfere = async (what) => {
        if (what !== step) return;
        if (when === 'after') {
          world.did.push(what);
          const [, name = '', value = ''] = /^set (\w+)=(\w+)$/u.exec(what) ?? [];
          if (name !== '') world.things.set(name, value);
        }
        // Everything after this moment, journal included, is cut off.
        await new Promise<never>((_resolve, reject) => {
          cut.abort(new Killed());
          reject(new Killed());
        });
      };
      const cut = new AbortController();
      const journalPath = join(directory, 'owed.json');
      const frozen: string[] = [];
      cut.signal.addEventListener('abort', () => {
        if (existsSync(journalPath)) frozen.push(readFileSync(journalPath, 'utf8'));
      });
      await run(catalog, { world, directory, signal: cut.signal });
      for (const journal of frozen) writeFileSync(journalPath, journal);

      world.interfere = () => undefined;
      const { journal } = await run(catalog, { world, directory });
      const label = `${when} ${step}`;
      t.deepEqual(journal.all(), [], label);
      t.deepEqual(Object.fromEntries(world.things), Object.fromEntries(whole.things), label);
      const lastSet = world.did.lastIndexOf('set config=new');
      t.true(world.did.lastIndexOf('kick service') > lastSet, label);
      t.true(world.did.lastIndexOf('kick early') > lastSet, label);
      t.true(world.did.includes('set after=run'), label);
    }
  }
});

test('a reaction is on disk before the change that asks for it is made', async (t) => {
  const directory = newDirectory();
  const world = toyWorld({ service: 'new' });
  const seen: string[] = [];
  world.interfere = (what) => {
    if (what !== 'set config=new') return;
    seen.push(readFileSync(join(directory, 'owed.json'), 'utf8'));
  };
  await run([config, service], { world, directory });
  t.is(seen.length, 1);
  t.regex(seen[0] ?? '', /"key": "service"/u);
});

test('a change that fails leaves the reaction owed', async (t) => {
  const directory = newDirectory();
  const world = breaking({ service: 'new' }, 'set config=new');
  const { statuses, journal } = await run([config, service], { world, directory });
  t.deepEqual(statuses, ['config: failed', 'service: skipped']);
  t.is(journal.all().length, 1);
});

test('a journal that cannot be written stops the change', async (t) => {
  const world = toyWorld({ service: 'new' });
  const directory = newDirectory();
  mkdirSync(join(directory, '.owed.json.new'));
  const { outcome } = await run([config, service], { world, directory });
  t.like(outcome('config'), { status: 'failed', error: { code: 'HOST_FILE_FAILED' } });
  t.deepEqual(world.did, []);
});

test('what a state owes that is gone is dropped by a whole run and kept by a partial one', async (t) => {
  const directory = newDirectory();
  const world = breaking({ service: 'new' }, 'kick service');
  await run([config, service], { world, directory });
  const partial = await run([declare('other')], { world, directory, isWhole: false });
  t.is(partial.journal.all().length, 1);
  const whole = await run([declare('other')], { world, directory });
  t.is(whole.journal.all().length, 0);
});

test('a state that its guards skip owes nothing any more', async (t) => {
  const directory = newDirectory();
  const world = breaking({ service: 'new' }, 'kick service');
  await run([config, service], { world, directory });
  const guarded = declare('service', {
    requires: { watch: ['config'] },
    guards: { creates: ['/off'] },
  });
  const { journal } = await run([config, guarded], {
    world,
    directory,
    host: { files: { '/off': '' } },
  });
  t.deepEqual(journal.all(), []);
});

test('after a lost journal everything that reacts is owed', async (t) => {
  const directory = newDirectory();
  writeFileSync(join(directory, 'owed.json'), '{"torn');
  const world = toyWorld({ config: 'new', service: 'new' });

  const foreseen = await run([config, service], { world, directory, dryRun: true });
  t.deepEqual(readdirSync(directory), ['owed.json']);
  t.true(foreseen.journal.isLost());
  t.deepEqual(foreseen.statuses, ['config: unchanged', 'service: would-change']);

  const { journal } = await run([config, service], { world, directory });
  t.deepEqual(world.did, ['kick service']);
  t.false(journal.isLost());
  t.true(readdirSync(directory).some((name) => name.startsWith('owed.json.corrupt-')));
});

test('a directory in the place of the journal is a lost journal, also for a run that dies at once', async (t) => {
  const directory = newDirectory();
  const path = join(directory, 'owed.json');
  mkdirSync(join(path, 'inside'), { recursive: true });
  const options = { dryRun: false, onCorrupt: () => undefined };
  t.true(openJournal(path, options).isLost());
  t.true(openJournal(path, options).isLost());
  const world = toyWorld({ config: 'new', service: 'new' });
  const { journal } = await run([config, service], { world, directory });
  t.deepEqual(world.did, ['kick service']);
  t.false(journal.isLost());
});

test('a partial run does not make up for a lost journal', async (t) => {
  const directory = newDirectory();
  writeFileSync(join(directory, 'owed.json'), 'null');
  const world = toyWorld({ config: 'new', service: 'new', other: 'new' });
  await run([declare('other')], { world, directory, isWhole: false });
  await run([config, service], { world, directory });
  t.deepEqual(world.did, ['kick service']);
});

test('the journal notes a debt once and keeps its date', (t) => {
  const path = join(newDirectory(), 'owed.json');
  const at = (time: number) =>
    openJournal(path, {
      dryRun: false,
      onCorrupt: (why) => t.fail(why),
      now: () => new Date(time),
    });
  const debt = { key: 'service', kind: 'watch', because: 'config' } as const;
  at(0).owe([debt]);
  at(1000).owe([debt, { ...debt, because: 'other' }]);
  t.deepEqual(
    at(2000)
      .all()
      .map(({ because, since }) => [because, since]),
    [
      ['config', '1970-01-01T00:00:00.000Z'],
      ['other', '1970-01-01T00:00:01.000Z'],
    ],
  );
});
