import test from 'ava';
import { ConductorError } from '../../shared/errors.ts';
import { EXIT, exitCodeOf } from '../../shared/exit-codes.ts';
import { uuidv7 } from '../../shared/uuid.ts';

test('is of version 7, of the right variant, and never twice the same', (t) => {
  const made = Array.from({ length: 100 }, () => uuidv7());
  t.is(new Set(made).size, 100);
  for (const id of made)
    t.regex(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
});

test('sorts by time', (t) => {
  t.true(uuidv7(1_000_000) < uuidv7(1_000_001));
  t.true(uuidv7(0x0f_ff_ff) < uuidv7(0x10_00_00_00_00));
});

test('exit codes tell usage, tree, offline and refused apart; a bug is none of them', (t) => {
  t.is(exitCodeOf(new ConductorError('USAGE', 'x')), EXIT.usage);
  t.is(exitCodeOf(new ConductorError('TREE_INVALID', 'x')), EXIT.tree);
  t.is(exitCodeOf(new ConductorError('MINION_OFFLINE', 'x')), EXIT.offline);
  t.is(exitCodeOf(new ConductorError('TARGET_EMPTY', 'x')), EXIT.refused);
  t.is(exitCodeOf(new TypeError('x')), EXIT.bug);
});
