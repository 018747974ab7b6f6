import test from 'ava';
import { z } from 'zod';
import { defineState } from '../../../minion/engine/state-type.ts';
import { loadCases, parseCase } from '../../e2e/contract/case.ts';
import type { Case, NamedCase } from '../../e2e/contract/case.ts';
import { isPart } from '../../e2e/contract/check-convergence.ts';
import { deathsIn } from '../../e2e/contract/check-kills.ts';
import { declarationOf } from '../../e2e/contract/check-reading.ts';
import { mistypedAmong } from '../../e2e/contract/check-refusals.ts';
import type { Finding } from '../../e2e/contract/finding.ts';
import { renderMatrix, rowOf } from '../../e2e/contract/matrix.ts';
import { stateTypes } from '../../../minion/state-types/index.ts';

/** The cases of the state types, and the pure parts of what runs them on real hosts. */

test('every case can be read, and is of a state type that there is; every state type has one', (t) => {
  const cases = loadCases('test/state-types');
  const types = new Set(cases.map(({ type }) => type));
  t.deepEqual(
    [...types].filter((type) => !stateTypes.has(type)),
    [],
  );
  t.deepEqual(
    [...stateTypes.keys()].filter((type) => !types.has(type)),
    [],
  );
});

test('a case says what is wrong with it', (t) => {
  const wrong = [
    ['about: a case\n', '"declare"'],
    ['about: a case\ndeclare: {}\n', 'needs a "name"'],
    ['about: a case\ndeclare: {name: x}\nexpects: {}\n', 'expects'],
    ['about: a case\ndeclare: {name: x}\nsecret: ["a b"]\n', 'at least six letters'],
    ['about: a case\ndeclare: {name: x}\nnot: {z: because}\n', 'not'],
    [
      'about: a case\ndeclare: {name: x}\ndisturb: {a: b}\nundisturbed: {a: c}\n',
      'disturbed and "undisturbed": a',
    ],
    [
      'about: a case\ndeclare: {name: x}\nexpect: {refused: x}\ndisturb: {a: b}\n',
      'nothing to disturb',
    ],
    ['about: [', 'about'],
  ] as const;
  for (const [text, part] of wrong) {
    const read = parseCase(text);
    t.true(typeof read === 'string' && read.includes(part), `${text}: ${JSON.stringify(read)}`);
  }
});

const shell = defineState({
  name: 'shell.set',
  schema: z.strictObject({
    name: z.string(),
    password: z.string().meta({ secret: true }).exactOptional(),
  }),
  example: '',
  read: async (): Promise<{ shell: string } | null> => null,
  want: () => ({ shell: 'x' }),
  apply: async () => undefined,
});

function caseOf(text = ''): Case {
  const read = parseCase(`about: a case\ndeclare: {name: x}\n${text}`);
  if (typeof read === 'string') throw new Error(read);
  return read;
}

const named = (text = ''): NamedCase => ({ type: 'shell.set', name: 'full', case: caseOf(text) });
const place = { type: 'shell.set', name: 'full' };
const ended: Finding = { event: 'ended', ...place, milliseconds: 5 };

function kept(letters: string): Finding[] {
  const clauses = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'] as const;
  const told = clauses.filter((clause) => letters.includes(clause));
  return told.map((clause) => ({ event: 'clause', ...place, clause, why: null }));
}

function wants(attributes: string[], disturbed: string[], excused: string[] = []): Finding {
  const rest = { isAbsence: false, isChange: true };
  return { event: 'wants', ...place, attributes, disturbed, excused, ...rest };
}

test('a row is whole only if every clause is shown or explained', (t) => {
  const whole = rowOf(shell, [named()], [...kept('abcdefghi'), wants(['shell'], ['shell']), ended]);
  t.deepEqual(whole.complaints, []);
  t.deepEqual(whole.counts, { passed: 1, failed: 0, skipped: 0 });
  const secretly = rowOf(
    shell,
    [named()],
    [...kept('abcdefgh'), wants(['shell'], ['shell']), ended],
  );
  t.regex(secretly.complaints.join(), /shell.set \(i\): no case shows that a secret/);
  t.is(secretly.counts.failed, 1);
  const why = 'not: {i: nobody sees it}\n';
  const explained = rowOf(
    shell,
    [named(why)],
    [...kept('abcdefgh'), wants(['shell'], ['shell']), ended],
  );
  t.deepEqual(explained.complaints, []);
  t.regex(
    renderMatrix([whole, explained]),
    /✓ ✓ ✓ ✓ ✓ ✓ ✓ ✓ –\n[^]*–  nobody sees it: shell.set \(i\)/,
  );
});

test('an attribute that nobody disturbs is a gap, unless somebody says why', (t) => {
  const told = [...kept('abcdefghi'), ended];
  const gap = rowOf(shell, [named()], [...told, wants(['home', 'shell'], ['shell'])]);
  t.deepEqual(gap.complaints, ['shell.set (d): nobody disturbs home']);
  const excused = rowOf(shell, [named()], [...told, wants(['home', 'shell'], ['shell'], ['home'])]);
  t.deepEqual(excused.complaints, []);
});

test('a case that breaks, that does not end or that the host is not made for is told as such', (t) => {
  const broken: Finding = { event: 'clause', ...place, clause: 'b', why: 'it did not' };
  const row = rowOf(shell, [named()], [broken, ended]);
  t.deepEqual(row.complaints, ['full (b): it did not']);
  t.like(rowOf(shell, [named()], []).counts, { passed: 0, skipped: 0 });
  t.true(rowOf(shell, [named()], []).complaints.includes('full: it never came to an end'));
  const lacks: Finding = { event: 'lacks', ...place, feature: 'nftables' };
  const skipped = rowOf(shell, [named()], [lacks, ended]);
  t.deepEqual(skipped.complaints, []);
  t.deepEqual(skipped.counts, { passed: 0, failed: 0, skipped: 1 });
});

test('a mistyped argument is no other word of the language', (t) => {
  t.deepEqual(mistypedAmong(['name', 'shell']), ['shell', 'shll']);
  t.deepEqual(mistypedAmong(['user']), ['user', 'usr']);
  t.is(mistypedAmong(['a']), null);
});

const effect = (kind: string, milliseconds: number) => ({ kind, what: '', milliseconds });

test('a run dies before every effect, and in the middle of those that take a while', (t) => {
  t.deepEqual(deathsIn([effect('own', 0.2), effect('run', 9), effect('writeFile', 1)]), [
    { effect: 1, afterMs: null },
    { effect: 2, afterMs: null },
    { effect: 2, afterMs: 5 },
    { effect: 3, afterMs: null },
    { effect: 3, afterMs: 1 },
  ]);
  const many = deathsIn(Array.from({ length: 500 }, () => effect('own', 0)));
  t.true(many.length < 40);
  t.is(many.at(-1)?.effect, 500);
});

test('what was read is declared, in place of what was declared', (t) => {
  const read = { rename: { content: 'contents' }, drop: ['target'], without: ['source'] };
  const declare = { name: 'x', source: 'y', mode: '0600' };
  const have = { content: 'z', mode: '0644', target: 'w', user: null, size: 5 };
  const known = new Set(['name', 'contents', 'mode', 'target', 'user']);
  t.deepEqual(declarationOf({ declare, read }, have, known), {
    name: 'x',
    contents: 'z',
    mode: '0644',
  });
});

test('a change is held against the part of it that is expected', (t) => {
  t.true(isPart({ to: { a: 1 } }, { action: 'create', to: { a: 1, b: 2 } }));
  t.false(isPart({ to: { a: [1] } }, { to: { a: [1, 2] } }));
  t.false(isPart({ to: { a: 1 } }, { action: 'remove' }));
});
