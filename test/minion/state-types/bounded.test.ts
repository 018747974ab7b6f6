import test from 'ava';
import { bounded } from '../../../minion/state-types/lib/bounded.ts';

function endless(): boolean {
  return /^(a+)+$/u.test(`${'a'.repeat(60)}!`);
}

test('a pattern that would match for ever is ended, and told', (t) => {
  t.throws(() => bounded('edit "/x"', endless, 100), {
    message:
      'Cannot edit "/x": matching its pattern takes longer than 0.1 s (nested repetitions such as (a+)+ do that)',
  });
  t.is(
    bounded('edit "/x"', () => 'a'.replace(/a/u, 'b')),
    'b',
    'and the next one works',
  );
});

test('what is made is given back whatever it is, and what is thrown stays what it was', (t) => {
  t.is(
    bounded('look', () => null),
    null,
  );
  const thrown = new TypeError('no');
  t.is(
    t.throws(() =>
      bounded('look', () => {
        throw thrown;
      }),
    ),
    thrown,
  );
});
