import test from 'ava';
import type { Pause } from '../../protocol/pause.ts';
import { acceptedMinion, report, testMaster, until } from './harness.ts';
import type { TestMinion } from './harness.ts';

const WHY = 'moving the database';
const PAUSE = ['pause', '--for', '2h', '--why', WHY, '--target'] as const;

/** What a minion says that was asked to pause. */
function paused(by: Pause['by'] = 'master', seconds = 7200): Pause {
  const now = Date.now();
  return {
    since: new Date(now).toISOString(),
    until: new Date(now + seconds * 1000).toISOString(),
    why: WHY,
    by,
  };
}

function say(minion: TestMinion, pause: Pause | null): Promise<void> {
  const nextRefresh = '2030-01-01T00:00:00.000Z';
  return minion.send({ type: 'schedule', nextRefresh, scheduleSource: 'pillar', pause });
}

test('a minion is paused and resumed, and the status shows it, with who says when it refreshes', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await minion.hello({ capabilities: ['pause'] });
  await until(() => on.master.services.presence.get('web-01')?.capabilities?.has('pause') === true);
  const asked = on.cli(...PAUSE, 'web-01');
  const message = await minion.next('pause');
  t.is(message.why, WHY);
  t.true(message.seconds > 7190 && message.seconds <= 7200);
  await say(minion, paused('master', message.seconds));
  const { code, out } = await asked;
  t.is(code, 0);
  t.is(out.at(-1), 'web-01\tpaused\t-');

  const again = on.cli('pause', '--for', '10m', '--why', 'a look', '--target', 'web-01');
  const { seconds } = await minion.next('pause');
  await say(minion, { ...paused('master', seconds), why: 'a look' });
  const replaced = (await again).out.at(-1) ?? '';
  t.regex(replaced, /^web-01\tpaused\tpaused until .*: moving the database$/u);

  const shown = await on.cli('status');
  t.regex(shown.err.join('\n'), /paused: web-01 until .*: a look$/mu);
  t.regex(shown.out.join('\n'), /web-01\t.*\tpillar\tuntil /u);
  const [status] = JSON.parse((await on.cli('status', '--json')).out.join('')).minions;
  t.like(status, { scheduleSource: 'pillar', pause: { why: 'a look', isConfirmed: true } });

  const resuming = on.cli('resume', '--target', 'web-01');
  await minion.next('resume');
  await say(minion, null);
  t.is((await resuming).code, 0);
  t.notRegex((await on.cli('status')).err.join('\n'), /paused/u);
});

test('a minion that is away is told when it comes back, if the pause is not over', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await minion.leave();
  await until(() => on.master.services.presence.get('web-01') === null);
  const { code, out } = await on.cli(...PAUSE, 'web-01');
  t.is(code, 3);
  t.regex(out.join('\n'), /web-01\toffline: it is told when it comes back/u);
  t.regex((await on.cli('status')).err.join('\n'), /\(not confirmed yet\)/u);

  const back = await acceptedMinion(t, on, { id: 'web-01' });
  await back.hello({ capabilities: ['pause'], pause: null });
  const message = await back.next('pause');
  t.true(message.seconds > 7100 && message.seconds <= 7200, 'what is left of it');
  await say(back, paused('master', message.seconds));
  const { store } = on.master.services;
  await until(async () => (await store.intentions.get('web-01'))?.owed === null);
  t.notRegex((await on.cli('status')).err.join('\n'), /not confirmed/u);

  await store.intentions.note('web-01', {
    pause: null,
    owed: {
      kind: 'pause',
      since: '2020-01-01T00:00:00Z',
      until: '2020-01-01T01:00:00Z',
      why: 'old',
    },
  });
  await back.hello({ capabilities: ['pause'], pause: null });
  await until(async () => (await store.intentions.get('web-01'))?.owed === null);
  t.is(back.received.filter(({ type }) => type === 'pause').length, 1, 'one that is over is not');
});

test('a pause that is longer than an earlier one with the same reason is told, too', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await minion.leave();
  await until(() => on.master.services.presence.get('web-01') === null);
  t.is((await on.cli(...PAUSE, 'web-01')).code, 3);
  const back = await acceptedMinion(t, on, { id: 'web-01' });
  await back.hello({ capabilities: ['pause'], pause: paused('master', 600) });
  t.true((await back.next('pause')).seconds > 7100);
  await say(back, paused('master', 600));
  await back.hello({ capabilities: ['pause'], pause: paused('master', 600) });
  // Told again, it is for what is left by now.
  const { seconds } = await back.next('pause');
  t.regex((await on.cli('status')).err.join('\n'), /\(not confirmed yet\)/u);
  await say(back, paused('master', seconds));
  const { store } = on.master.services;
  await until(async () => (await store.intentions.get('web-01'))?.owed === null);
  t.pass();
});

test('an agent that cannot pause, or does not answer, is told apart', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const { code, out } = await on.cli(...PAUSE, 'web-01');
  t.is(code, 3);
  t.regex(out.join('\n'), /its agent is too old/u);
});

test('a pause has to end, and to say why', async (t) => {
  const on = await testMaster(t);
  await acceptedMinion(t, on, { id: 'web-01' });
  const refused: readonly (readonly [argv: readonly string[], says: RegExp])[] = [
    [['--why', 'x'], /--for is missing: a pause has to end/u],
    [['--for', '2h'], /--why is missing/u],
    [['--for', '2h', '--why', ' '], /--why is missing/u],
    [['--for', '15d', '--why', 'x'], /--for 15d is too long: at most 14d are allowed/u],
    [['--for', 'ever', '--why', 'x'], /Cannot read --for "ever": write 90s, 30m/u],
    [['--for', '2h', '--why', 'x'.repeat(201)], /--why has 201 characters/u],
  ];
  for (const [argv, says] of refused) {
    const { code, err } = await on.cli('pause', '--target', 'web-01', ...argv);
    t.is(code, 1, argv.join(' '));
    t.regex(err.join('\n'), says);
  }
  t.is((await on.cli(...PAUSE, 'nobody*')).code, 5);
  t.is(
    await on.master.services.store.intentions.get('web-01').then((known) => known?.owed ?? null),
    null,
  );
});

test('an operator goes before a pause, unless the pause is to be respected', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await minion.hello({ capabilities: ['pause'], pause: paused('minion') });
  const { store } = on.master.services;
  await until(async () => ((await store.intentions.get('web-01'))?.pause ?? null) !== null);
  const { code, err } = await on.cli('apply', '-t', 'web-01', '--respect-pause');
  t.is(code, 5);
  t.regex(err.join('\n'), /web-01 is paused until .*: moving the database[^]*master resume/u);
  t.false(minion.received.some(({ type }) => type === 'job'));

  const applying = on.cli('apply', '-t', 'web-01');
  const { options } = await minion.next('job');
  await minion.send({ type: 'job-accepted', job: options.job, waiting: false });
  await minion.send({
    type: 'report',
    report: report(options.job, 'web-01', { paused: paused('minion') }),
  });
  const applied = await applying;
  t.is(applied.code, 0);
  t.regex(applied.out.join('\n'), /paused no scheduled runs until .*: moving the database/u);
});

test('a minion that is forgotten leaves no pause behind', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await say(minion, paused('minion'));
  const { store } = on.master.services;
  await until(async () => (await store.intentions.get('web-01')) !== null);
  await store.minions.remove('web-01');
  t.is(await store.intentions.get('web-01'), null);
  t.is((await store.intentions.all()).size, 0);
});

test('a pause that a minion claims is no longer than one that can be asked for', async (t) => {
  const on = await testMaster(t);
  const minion = await acceptedMinion(t, on, { id: 'web-01' });
  await say(minion, { ...paused('minion'), until: '2099-01-01T00:00:00.000Z' });
  const { store } = on.master.services;
  await until(async () => (await store.intentions.get('web-01'))?.pause != null);
  const { until: end = '' } = (await store.intentions.get('web-01'))?.pause ?? {};
  const days = (Date.parse(end) - Date.now()) / 86_400_000;
  t.true(days > 13.9 && days <= 14, end);
});

test('who resumes while a pause is being confirmed waits for what was asked last', async (t) => {
  const on = await testMaster(t);
  const { store } = on.master.services;
  const pause = {
    kind: 'pause',
    since: '2030-01-01T00:00:00.000Z',
    until: '2030-01-02T00:00:00.000Z',
    why: WHY,
  } as const;
  await store.intentions.note('web-01', { owed: pause });
  await store.intentions.note('web-01', { owed: { kind: 'resume' } });
  t.false(await store.intentions.settle('web-01', pause));
  t.deepEqual((await store.intentions.get('web-01'))?.owed, { kind: 'resume' });
  t.true(await store.intentions.settle('web-01', { kind: 'resume' }));
  t.is((await store.intentions.get('web-01'))?.owed, null);
});
