import test from 'ava';
import { redactionFor } from '../../../minion/run/redaction.ts';
import { acceptedMinion, commandLine, testMaster, type TestMinion } from '../harness.ts';

async function pillarGivenTo(minion: TestMinion) {
  const have = { share: null, pillar: null };
  await minion.send({ type: 'prepare', request: 1, revision: null, have, stateFiles: [] });
  return (await minion.next('prepared')).pillar;
}

test('each minion has a key of its own for fingerprints, the same in every session', async (t) => {
  const on = await testMaster(t);
  const [first, second] = [
    await acceptedMinion(t, on, { id: 'm-01', seed: 33 }),
    await acceptedMinion(t, on, { id: 'm-02', seed: 44 }),
  ];
  const [one, two] = [await pillarGivenTo(first), await pillarGivenTo(second)];
  t.deepEqual(one?.value, two?.value);
  t.not(one?.fingerprintKey, two?.fingerprintKey);
  // Or a minion would keep a key that is no longer its own.
  t.not(one?.id, two?.id);
  const again = await acceptedMinion(t, on, { id: 'm-01', seed: 33 });
  t.deepEqual(await pillarGivenTo(again), one);
});

test('the master shows a secret of a minion by the mark that its reports have', async (t) => {
  const on = await testMaster(t);
  const { directory } = on;
  const [sealed] = (await commandLine(['seal'], { directory, input: 'hunter2' })).out;
  on.write({ 'pillars/common.yaml': `greeting: ${sealed}\n` });
  const shown = new Set<string>();
  for (const [id, seed] of [
    ['m-01', 33],
    ['m-02', 44],
  ] as const) {
    const minion = await acceptedMinion(t, on, { id, seed });
    const key = (await pillarGivenTo(minion))?.fingerprintKey ?? '';
    const mark = redactionFor(['hunter2'], key).redact('hunter2');
    const { out } = await on.cli('pillar', 'show', id);
    const { out: catalog } = await on.cli('show', id, '--verbose');
    for (const lines of [out, catalog]) t.true(lines.join('\n').includes(mark));
    shown.add(mark);
  }
  t.is(shown.size, 2);
});
