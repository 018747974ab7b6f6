import test from 'ava';
import { renderHolder } from '../../shared/render-holder.ts';

test('whom a run waits for is told as far as it is known', (t) => {
  const holder = { pid: 4711, since: '2026-03-01T04:12:00.000Z', job: null, cause: null };
  t.is(renderHolder(null), 'another run');
  t.is(renderHolder(holder), 'a dry run (pid 4711, since 2026-03-01T04:12:00.000Z)');
  t.is(
    renderHolder({ ...holder, job: '0190', cause: 'local' }),
    'job 0190 (local, pid 4711, since 2026-03-01T04:12:00.000Z)',
  );
});
