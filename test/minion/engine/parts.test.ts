import test from 'ava';
import { join } from 'node:path';
import { z } from 'zod';
import { deadlineFor, typeOf } from '../../../minion/engine/context.ts';
import { Abandoned, inTime } from '../../../minion/engine/deadline.ts';
import { failingCheck, guardedBy } from '../../../minion/engine/guards.ts';
import { payListeners } from '../../../minion/engine/listeners.ts';
import { errorOf, outcomeOf } from '../../../minion/engine/outcome.ts';
import { openMemory } from '../../../minion/engine/drift/memory.ts';
import { openJournal } from '../../../minion/engine/owed.ts';
import { isNotified, isPreparationNeeded } from '../../../minion/engine/prerequisites.ts';
import { debtsOf, reactionsIn, takeStock } from '../../../minion/engine/reactions.ts';
import { secretNamesOf } from '../../../language/states/secret-names.ts';
import { createSecretNames, presentable } from '../../../minion/engine/redaction.ts';
import { judge, targetsOf } from '../../../minion/engine/requisites.ts';
import type { Standing } from '../../../minion/engine/requisites.ts';
import { defineState } from '../../../minion/engine/state-type.ts';
import type { StateType } from '../../../minion/engine/state-type.ts';
import { isBinary, textDiff } from '../../../minion/engine/text-diff.ts';
import { takeTurn } from '../../../minion/engine/turn.ts';
import type { RunContext } from '../../../minion/engine/context.ts';
import type { Change } from '../../../shared/change.ts';
import { ConductorError } from '../../../shared/errors.ts';
import { createLogger } from '../../../shared/log.ts';
import { fakeHost } from '../../helpers/fake-host.ts';
import { declare, newDirectory, testAtRest } from '../../helpers/toy-world.ts';

const redaction = {
  redact: (text: string) => text.replaceAll('hunter2', '#'),
  fingerprint: (text: string) => `${text.length}`,
};

function typeWith(schema: z.ZodType): StateType {
  return defineState({
    name: 'toy.part',
    example: '',
    schema,
    read: async () => ({ done: true }),
    want: () => ({ done: true }),
    apply: async () => undefined,
    react: async () => 'kicked',
  });
}

const type = typeWith(z.strictObject({}));

// Redaction

const GUARD = '/bin/bash -c exec /bin/sh -c "$0" > >(exec cat) 2>&1 eval "$(cat)"';

test('what nests without an end is shown to an end', (t) => {
  const deep: Change = {
    action: 'create',
    to: { value: JSON.parse(`${'['.repeat(1500)}1${']'.repeat(1500)}`) },
  };
  const shown = presentable(deep, { ...redaction, secretNames: new Set(), hidesBefore: false });
  t.is(
    JSON.stringify(shown),
    `{"action":"create","to":{"value":${'['.repeat(16)}"…"${']'.repeat(16)}}}`,
  );
});

test('shows only what differs, with secrets as fingerprints, at any depth', (t) => {
  const change: Change = {
    action: 'update',
    from: { password: 'old', env: { A: 'x' }, same: 1 },
    to: { password: 'newer', env: { A: 'is hunter2', B: ['hunter2', null, 3] } },
  };
  t.deepEqual(
    presentable(change, { ...redaction, secretNames: new Set(['password']), hidesBefore: false }),
    {
      action: 'update',
      from: { password: 'secret(3)', env: { A: 'secret(1)' } },
      to: { password: 'secret(5)', env: { A: 'is #', B: ['#', null, 3] } },
    },
  );
  const nested: Change = {
    action: 'update',
    from: { options: { pin: '1234', map: 'a' } },
    to: { options: { pin: '12345', map: 'hunter2' } },
  };
  t.deepEqual(
    presentable(nested, { ...redaction, secretNames: new Set(['pin']), hidesBefore: false }),
    {
      action: 'update',
      from: { options: { pin: 'secret(4)', map: 'secret(1)' } },
      to: { options: { pin: 'secret(5)', map: '#' } },
    },
  );
  t.deepEqual(
    presentable(
      { action: 'remove', from: { a: 1 } },
      { ...redaction, secretNames: new Set(), hidesBefore: false },
    ),
    {
      action: 'remove',
      from: { a: 1 },
    },
  );
});

test('what a value with a secret in it was before is not shown: it may hold an earlier one', (t) => {
  const change: Change = {
    action: 'update',
    from: { env: { PASSWORD: 'old', PORT: '1', GONE: 'older' }, command: 'x', list: ['old'] },
    to: { env: { PASSWORD: 'hunter2', PORT: '2' }, command: 'y', list: ['hunter2'] },
  };
  t.deepEqual(presentable(change, { ...redaction, secretNames: new Set(), hidesBefore: false }), {
    action: 'update',
    from: {
      env: { PASSWORD: 'secret(3)', PORT: '1', GONE: 'secret(5)' },
      command: 'x',
      list: 'secret(7)',
    },
    to: { env: { PASSWORD: '#', PORT: '2' }, command: 'y', list: ['#'] },
  });
});

test('a number that is a secret is none to be shown', (t) => {
  const blanking = { ...redaction, redact: (text: string) => text.replaceAll('5432', '#') };
  t.deepEqual(
    presentable(
      { action: 'create', to: { pin: 5432, n: 1 } },
      { ...blanking, secretNames: new Set(), hidesBefore: false },
    ),
    {
      action: 'create',
      to: { pin: '#', n: 1 },
    },
  );
});

test('nothing is shown of what was where a secret is known to have been', (t) => {
  const change: Change = { action: 'update', from: { a: 'was', n: 1 }, to: { a: 'plain', n: 2 } };
  const blanking = { ...redaction, secretNames: new Set<string>(), hidesBefore: true };
  t.deepEqual(presentable(change, blanking), {
    action: 'update',
    from: { a: 'secret(3)', n: 'secret(1)' },
    to: { a: 'plain', n: 2 },
  });
  const yesOrNo: Change = { action: 'update', from: { works: false }, to: { works: true } };
  t.deepEqual(presentable(yesOrNo, blanking), yesOrNo, 'which no secret text can be');
  const owned: Change = {
    action: 'update',
    from: { user: 'root', group: 'root', mode: '0644' },
    to: { user: 'shop', group: 'shop', mode: '0600' },
  };
  t.deepEqual(presentable(owned, blanking), owned, 'which everybody sees');
  t.deepEqual(presentable({ action: 'remove', from: { a: 'was' } }, blanking), {
    action: 'remove',
    from: { a: 'secret(3)' },
  });
  const diff = textDiff('f', 'one\nwas\n', 'one\nplain\n', { hidesBefore: true });
  t.true(
    diff.includes(
      ' (not shown: it may hold an earlier secret)\n-(not shown: it may hold an earlier secret)\n+plain\n',
    ),
  );
});

test('shortens what is longer than a screen', (t) => {
  const shown = presentable(
    { action: 'create', to: { a: 'x'.repeat(9000) } },
    { ...redaction, secretNames: new Set(), hidesBefore: false },
  );
  t.true(shown.action === 'create' && JSON.stringify(shown.to).length < 4200);
});

// Diffs

function manyLines(seed: number): string {
  return Array.from({ length: 9000 }, (_, line) => `${(line * seed) % 9973}`).join('\n');
}

function linesAround(middle: string): string {
  return `1\n2\n3\n4\n${middle}\n6\n7\n8\n9\n`;
}

test('sums up what cannot be shown, and what would take too long', (t) => {
  t.is(textDiff('f', 'a\0', 'b'), 'binary content differs (2 -> 1 bytes)');
  t.regex(textDiff('f', '', 'x\n'.repeat(400_000)), /too large to show/u);
  const begun = Date.now();
  t.regex(textDiff('f', manyLines(17), manyLines(31)), /differs too much to show/u);
  t.true(Date.now() - begun < 5000);
  t.true(textDiff('f', '', 'some words\n'.repeat(20_000)).length < 70_000);
  t.false(isBinary('ünïcode'));
});

test('a diff has its name, three lines around and no ruler', (t) => {
  const diff = textDiff('/etc/motd', linesAround('a'), linesAround('b'));
  t.is(diff.split('\n')[0]?.trim(), '--- /etc/motd');
  t.true(diff.includes('@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-a\n+b\n 6\n 7\n 8\n'));
});

test('a diff hides the lines that a secret replaces, and no others', (t) => {
  const before = `host=a\npassword=swordfish\nx\n${'1\n'.repeat(9)}port=1\n`;
  const after = `host=a\npassword=secret(3f9c)\nx\n${'1\n'.repeat(9)}port=2\n`;
  const diff = textDiff('f', before, after);
  t.false(diff.includes('swordfish'));
  t.true(diff.includes('-(not shown: it may hold an earlier secret)\n+password=secret(3f9c)\n'));
  t.true(diff.includes('-port=1\n+port=2\n'));
  t.true(diff.startsWith('--- f'));
  t.false(textDiff('f', 'swordfish', 'secret(3f9c)').includes('swordfish'));
});

// Deadlines

test('work in time is let alone; late work gets its signal, and is given up if it ignores it', async (t) => {
  const { signal } = new AbortController();
  const deadline = { what: '"a"', milliseconds: 30, signal, patienceMs: 30 };
  t.is(await inTime(deadline, async () => 1), 1);
  const obedient = inTime(deadline, async (ends) => {
    await new Promise((resolve) => {
      ends.addEventListener('abort', resolve);
    });
    throw ends.reason;
  });
  await t.throwsAsync(obedient, { message: 'Cannot finish "a": it took longer than 0.03 s' });
  const deaf = inTime(deadline, async () => new Promise<never>(() => undefined));
  await t.throwsAsync(deaf, { instanceOf: Abandoned, message: /goes on though/u });
});

test('a state has the time that it asks for, or the usual', (t) => {
  const { milliseconds, what } = deadlineFor(declare('a', { timeoutSeconds: 5 }), context());
  t.deepEqual([milliseconds, what], [5000, '"a"']);
  t.is(deadlineFor(declare('a'), context()).milliseconds, 1_800_000);
});

// Judging

function standing(given: Partial<Standing>): Standing {
  return { id: 'x', isBroken: false, hasChanged: false, isUnknown: false, origin: null, ...given };
}

test('what is not in the catalog counts as broken for those that need it', (t) => {
  const verdict = judge(declare('a', { requires: { require: ['ghost'] } }), new Map(), {
    owesRun: false,
  });
  t.deepEqual(verdict, {
    go: false,
    why: 'broken',
    because: '"ghost", which it needs, has failed',
  });
});

test('an onchanges that is owed runs though nothing changes now', (t) => {
  const declaration = declare('a', { requires: { onchanges: ['x'] } });
  const standings = new Map([['x', standing({})]]);
  t.false(judge(declaration, standings, { owesRun: false }).go);
  t.true(judge(declaration, standings, { owesRun: true }).go);
  t.deepEqual(targetsOf(declaration, ['onchanges']), ['x']);
});

test('many reasons are told by the first', (t) => {
  const keys = ['a', 'b', 'c', 'd'];
  const standings = new Map(keys.map((id) => [id, standing({ id, isBroken: true })]));
  const verdict = judge(declare('x', { requires: { require: keys } }), standings, {
    owesRun: false,
  });
  t.like(verdict, { because: '"a" and 3 others, which it needs, have failed' });
  const two = judge(declare('x', { requires: { require: ['a', 'b'] } }), standings, {
    owesRun: false,
  });
  t.like(two, { because: '"a" and "b", which it needs, have failed' });
});

// Guards

test('a guard that holds a secret gives it by standard input only', async (t) => {
  const host = fakeHost({ commands: { [GUARD]: { exitCode: 1 } } });
  const declaration = declare('a', { guards: { unless: ['login hunter2'] }, runas: 'deploy' });
  t.is(await guardedBy(declaration, host), null);
  t.like(host.queries[0], { options: { input: 'login hunter2', user: 'deploy' } });
  t.false(JSON.stringify(host.queries[0]?.argv).includes('hunter2'));
});

test('a dangling link is not something that exists', async (t) => {
  const declaration = declare('a', { guards: { creates: ['/link'] } });
  const link = { links: { '/link': '/gone' } };
  const dangling = fakeHost({ ...link, commands: { 'test -e /link': { exitCode: 1 } } });
  t.is(await guardedBy(declaration, dangling), null);
  const whole = fakeHost({ ...link, commands: { 'test -e /link': '' } });
  t.like(await guardedBy(declaration, whole), { byCommand: false });
});

test('checks are asked in order, up to the first that fails', async (t) => {
  const host = fakeHost({
    commands: { [GUARD]: { exitCode: 1, stdout: 'bad' } },
  });
  const failing = await failingCheck(declare('a', { checkCommands: ['one', 'two'] }), host);
  t.deepEqual(failing, { line: 'one', output: 'bad' });
  t.is(host.queries.length, 1);
});

// Outcomes

test('what a command printed is told without secrets, and only its end', (t) => {
  const timing = { startedAt: new Date(0), milliseconds: 1, attempts: 1 };
  const told = (printed: string) =>
    outcomeOf(
      declare('a'),
      type,
      { status: 'changed', change: null, reaction: null, printed },
      { cause: null, timing, redaction, secretNames: secretNamesOf, hidesBefore: false },
    ).output;
  t.is(told('pw hunter2\n'), 'pw #');
  t.is(told('\n'), undefined);
  t.is(told('line\n'.repeat(100))?.split('\n').length, 20);
});

test('a digest of what is not shown is told as a mark, on which nobody can try guesses', (t) => {
  const timing = { startedAt: new Date(0), milliseconds: 1, attempts: 1 };
  const digest = 'f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7';
  const change: Change = { action: 'update', from: { digest: null, a: 1 }, to: { digest, a: 2 } };
  const { change: told } = outcomeOf(
    declare('a'),
    { ...type, digests: ['digest'] },
    { status: 'would-change', change, reaction: null },
    { cause: null, timing, redaction, secretNames: secretNamesOf, hidesBefore: false },
  );
  t.deepEqual(told, {
    action: 'update',
    from: { digest: null, a: 1 },
    to: { digest: 'digest(64)', a: 2 },
  });
});

test('an outcome says where, how long and how often', (t) => {
  const timing = { startedAt: new Date(0), milliseconds: 12.345, attempts: 2 };
  t.deepEqual(
    outcomeOf(
      declare('a'),
      type,
      { status: 'unchanged' },
      { cause: null, timing, redaction, secretNames: secretNamesOf, hidesBefore: false },
    ),
    {
      key: 'a',
      id: 'a',
      name: 'a',
      type: 'toy.set',
      place: 'states/toy.yaml:1:1',
      status: 'unchanged',
      startedAt: '1970-01-01T00:00:00.000Z',
      milliseconds: 12.3,
      attempts: 2,
    },
  );
});

test('errors are redacted, output included', (t) => {
  const error = new ConductorError('COMMAND_FAILED', 'Cannot say hunter2', { output: 'hunter2!' });
  t.deepEqual(errorOf(error, redaction.redact), {
    code: 'COMMAND_FAILED',
    message: 'Cannot say #',
    output: '#!',
  });
  t.like(errorOf('hunter2', redaction.redact), { code: 'BUG' });
  t.notRegex(errorOf('hunter2', redaction.redact).message, /hunter2/u);
});

// Reactions

const watching = declare('w', { type: 'toy.part', requires: { watch: ['a'], listen: ['b'] } });
const types = new Map([['toy.part', type]]);

test('finds who owes what to whom', (t) => {
  const { edges, by } = reactionsIn([watching], types, { isWhole: true });
  t.deepEqual(edges, [
    { key: 'w', kind: 'watch', because: 'a' },
    { key: 'w', kind: 'listen', because: 'b' },
  ]);
  t.is(by.get('a')?.length, 1);
});

const quiet = createLogger({ name: 'test', level: 'error', write: () => undefined });

function onCorrupt(why: string): void {
  throw new Error(why);
}

function context(given: Partial<RunContext> = {}): RunContext {
  const dryRun = given.dryRun ?? false;
  return {
    catalog: { revision: '0', declarations: [watching], ports: new Map(), secrets: [] },
    types,
    hosts: { within: () => fakeHost() },
    journal: openJournal(join(newDirectory(), 'owed.json'), { dryRun, onCorrupt }),
    redaction,
    memory: openMemory(newDirectory(), { dryRun, onCorrupt, atRest: testAtRest, log: quiet }),
    unforeseen: { by: null },
    dryRun,
    isWhole: true,
    signal: new AbortController().signal,
    emit: () => undefined,
    log: quiet,
    reactions: reactionsIn([watching], types, { isWhole: true }),
    startedAt: new Date(),
    preparedBy: new Map(),
    byKey: new Map([['w', watching]]),
    standings: new Map(),
    outcomes: new Map(),
    secretNames: createSecretNames(),
    made: new Map(),
    kept: new Map(),
    diffs: { charactersLeft: 1000 },
    ...given,
  };
}

test('is notified by the journal in a real run, by what would change in a dry one', async (t) => {
  const changed = new Map([['a', standing({ hasChanged: true })]]);
  t.false(isNotified(watching, context({ standings: changed })));
  t.true(isNotified(watching, context({ standings: changed, dryRun: true })));
  const owing = context();
  owing.journal.owe([{ key: 'w', kind: 'watch', because: 'a' }]);
  t.true(isNotified(watching, owing));
  t.is(debtsOf(owing.journal, 'w', ['listen']).length, 0);
  const preparing = declare('p', { requires: { prereq: ['w'] } });
  t.true(await isPreparationNeeded(preparing, owing, fakeHost()));
  t.false(await isPreparationNeeded(preparing, context(), fakeHost()));
});

test('takes stock: drops what nobody can pay any more', (t) => {
  const run = context();
  run.journal.owe([{ key: 'ghost', kind: 'watch', because: 'a' }]);
  t.deepEqual(
    takeStock(run.journal, run.reactions, [watching], { isWhole: false, dryRun: false }),
    [],
  );
  const dropped = takeStock(run.journal, run.reactions, [watching], {
    isWhole: true,
    dryRun: false,
  });
  t.deepEqual(
    dropped.map(({ key }) => key),
    ['ghost'],
  );
  t.deepEqual(run.journal.all(), []);
});

test('takes stock: what state files by name owe waits for them, for 30 days', (t) => {
  const run = context({ isWhole: false });
  const named = reactionsIn([watching], types, run);
  const earlier = openJournal(join(newDirectory(), 'owed.json'), {
    dryRun: false,
    onCorrupt,
    now: () => new Date(Date.now() - 31 * 86_400_000),
  });
  for (const journal of [run.journal, earlier]) journal.owe(named.by.get('a') ?? []);
  const left = [run.journal, earlier].map((journal) => {
    takeStock(journal, named, [], { isWhole: true, dryRun: false });
    return journal.all().map(({ key }) => key);
  });
  t.deepEqual(left, [['w'], []]);
});

test('a turn with a type that nobody knows is our own mistake', async (t) => {
  t.throws(() => typeOf(context(), declare('a', { type: 'no.such' })), { message: /no\.such/u });
  const { result } = await takeTurn(declare('a', { type: 'no.such' }), context());
  t.is(result.status, 'failed');
});

function listening(standings: RunContext['standings']): RunContext {
  const run = context({ standings });
  run.journal.owe([{ key: 'w', kind: 'listen', because: 'b' }]);
  const timing = { startedAt: new Date(0), milliseconds: 0, attempts: 1 };
  run.outcomes.set(
    'w',
    outcomeOf(
      watching,
      type,
      { status: 'unchanged' },
      { cause: null, timing, redaction, secretNames: secretNamesOf, hidesBefore: false },
    ),
  );
  return run;
}

test('nobody who is broken, or listens to something broken, is made to react', async (t) => {
  for (const key of ['w', 'b']) {
    const run = listening(new Map([[key, standing({ isBroken: true })]]));
    await payListeners(run);
    t.is(run.outcomes.get('w')?.status, 'unchanged');
    t.is(run.journal.all().length, 1);
  }
  const fine = listening(new Map());
  await payListeners(fine);
  t.like(fine.outcomes.get('w'), { status: 'changed', reaction: 'kicked' });
});
