import test from 'ava';
import { z } from 'zod';
import type { Outcome } from '../../protocol/report.ts';
import { uuidv7 } from '../../shared/uuid.ts';
import { acceptedMinion, outcome, report, testMaster } from './harness.ts';
import type { TestMinion } from './harness.ts';

/** What a minion's reports say of drift, as the command line shows it. */

function drifted(id: string, at: Date, times = 1): Outcome {
  const since = '2026-01-01T00:00:00.000Z';
  return outcome(id, {
    startedAt: at.toISOString(),
    origin: { kind: 'drift', times, since },
  });
}

async function tell(minion: TestMinion, outcomes: Outcome[], more = {}): Promise<string> {
  const job = uuidv7();
  const told = report(job, minion.id, { cause: 'refresh', outcomes, ...more });
  await minion.send({ type: 'report', report: told });
  await minion.next('report-stored');
  return job;
}

const answer = z.object({
  drifts: z.array(
    z.object({ minion: z.string(), id: z.string(), times: z.number(), job: z.string() }),
  ),
});

const DAY_MS = 86_400_000;

test('drift is told by host and state, how often and when last; what was intended is not', async (t) => {
  const on = await testMaster(t);
  const [web, db] = [
    await acceptedMinion(t, on, { id: 'web-01', groups: ['web'] }),
    await acceptedMinion(t, on, { id: 'db-01', seed: 34 }),
  ];
  const now = new Date();
  const before = new Date(now.getTime() - 20 * DAY_MS);
  await tell(web, [drifted('motd', now), outcome('asked', { origin: { kind: 'intended' } })]);
  const again = await tell(web, [drifted('motd', now, 2), drifted('old', before)]);
  await tell(db, [drifted('shell', now)]);
  await tell(db, [drifted('foreseen', now)], { dryRun: true });

  const ask = async (...flags: string[]) => {
    const { code, out, err } = await on.cli('drift', '--json', ...flags);
    t.is(code, 0, err.join('\n'));
    return answer.parse(JSON.parse(out.join('\n'))).drifts;
  };
  const all = await ask();
  t.deepEqual(
    all.map(({ minion, id, times }) => `${minion} ${id} ${times}`),
    ['db-01 shell 1', 'web-01 motd 2', 'web-01 old 1'],
  );
  t.is(all.find(({ id }) => id === 'motd')?.job, again);
  t.deepEqual(
    (await ask('--since', '7d')).map(({ id }) => id),
    ['shell', 'motd'],
  );
  t.deepEqual(
    (await ask('--target', 'web')).map(({ id }) => id),
    ['motd', 'old'],
  );

  const { out } = await on.cli('drift', '--since', '7d', '--target', 'web-01');
  t.is(out[0], 'MINION\tSTATE\tTIMES\tSINCE\tLAST\tJOB');
  t.is(out.length, 2);
  t.regex(out[1] ?? '', /^web-01\tnote\.present motd\t2\t2026-01-01T00:00:00\.000Z\t/u);

  const minions = z
    .object({ minions: z.array(z.object({ id: z.string(), drift: z.number() })) })
    .parse(JSON.parse((await on.cli('status', '--json')).out.join(''))).minions;
  t.deepEqual(minions, [
    { id: 'db-01', drift: 1 },
    { id: 'web-01', drift: 1 },
  ]);
  const shown = await on.cli('jobs', 'show', again);
  t.regex(shown.out.join('\n'), /\tmotd|motd {2}changed, drift {2}/u);
  t.regex(shown.out.join('\n'), /2 changed \(2 drift\)/u);
});

test('what cannot be asked is told with what could', async (t) => {
  const on = await testMaster(t);
  const wrong = await on.cli('drift', '--since', 'yesterday');
  t.is(wrong.code, 1);
  t.is(wrong.err[0], 'error: Cannot read --since "yesterday": write 2h, 7d, or 2026-12-31T22:30');
  const none = await on.cli('drift', '--target', 'nobody*');
  t.is(none.code, 5);
  t.regex(none.err[0] ?? '', /^error: .*nobody/u);
});
