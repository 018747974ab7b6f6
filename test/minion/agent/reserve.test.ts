import test from 'ava';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createReserve } from '../../../minion/agent/reserve.ts';

const CHILD = fileURLToPath(new URL('../../helpers/without-descriptors.js', import.meta.url));

test('who has no descriptor left can still look into a file, again and again', (t) => {
  const { again, afterFailure, isUntouched } = JSON.parse(
    execFileSync(process.execPath, [CHILD], { encoding: 'utf8' }),
  );
  const each = ['EMFILE', 'read', 'read'];
  t.deepEqual(again, [each, each, each]);
  t.deepEqual(afterFailure, ['ENOENT', 'read'], 'what fails with the reserve leaves it whole');
  t.true(isUntouched, 'with room for others it is not touched');
});

test('what is lent gives what it makes', (t) => {
  t.is(
    createReserve().lend(() => 'made'),
    'made',
  );
});
