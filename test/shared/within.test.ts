import test from 'ava';
import { mayTakeLong, within } from '../../shared/within.ts';

function endless(): boolean {
  return /^(a+)+$/u.test(`${'a'.repeat(60)}!`);
}

test('what is matched for ever is ended, and nothing is made of it', (t) => {
  t.is(within(100, endless), null);
  t.deepEqual(
    within(100, () => 1),
    { made: 1 },
  );
});

test('what is done within another one has that one’s time, and leaves it its own', (t) => {
  t.is(
    within(100, () => within(60_000, endless)),
    null,
  );
  t.deepEqual(
    within(1000, () => [within(1, () => 1), within(1, () => 2)]),
    { made: [{ made: 1 }, { made: 2 }] },
  );
  t.is(within(100, endless), null, 'it is as before');
});

test('repetitions of repetitions, and many of them, may take long', (t) => {
  for (const source of ['(a+)+', '(?:ab)*', '(a|b){2,}', 'a*b*c*d*', String.raw`(a\))+`])
    t.true(mayTakeLong(source), source);
  for (const source of [
    'web\\d+',
    '(web|app)-[*+]*',
    '[(+)*]+.*',
    'a{3}b',
    String.raw`\)+\*\+.*x*`,
  ])
    t.false(mayTakeLong(source), source);
});
