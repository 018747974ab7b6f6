import test from 'ava';
import { declare, run, toyWorld } from '../../helpers/toy-world.ts';

/** Two states of one text; each is carried out if the text is not as it says. */
const whole = declare('whole', { type: 'toy.content', args: { name: 'file', value: 'plain' } });
const line = declare('line', {
  type: 'toy.content',
  args: { name: 'file', value: 'plain with a line' },
});

test('what takes back the work of another state of the run is refused, and nothing is done', async (t) => {
  const world = toyWorld({ file: 'plain with a line' });
  const { statuses, outcome } = await run([whole, line], { world });
  t.deepEqual(statuses, ['whole: changed', 'line: failed']);
  t.is(
    outcome('line').error?.message,
    'Cannot carry out "line": it would take back what "whole" has just changed in "/srv/file", and both would change it again at every run (let only one of them decide about that)',
  );
  t.deepEqual(world.did, ['set file=plain']);
});

test('what goes on with the work of another state is done', async (t) => {
  const world = toyWorld({ file: 'something else' });
  const { statuses } = await run([whole, line], { world });
  t.deepEqual(statuses, ['whole: changed', 'line: changed']);
  t.deepEqual(world.did, ['set file=plain', 'set file=plain with a line']);
});
