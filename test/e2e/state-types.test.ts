import test from 'ava';
import { stateTypes } from '../../minion/state-types/index.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { loadCases } from './contract/case.ts';
import { renderCounts, renderMatrix } from './contract/matrix.ts';
import { examineTypes } from './contract/run-types.ts';
import type { Examination } from './contract/run-types.ts';

/** The contract of every state type in the registry, on real hosts: one test for each type. */

const onHost = await testOnHosts(test);
const cases = loadCases('test/state-types');
let examination: Examination | null = null;

/** Begun by the first test that needs it; all types are run in one go. */
function rowOf(type: string) {
  examination ??= examineTypes({
    types: stateTypes,
    cases,
    entry: 'test/e2e/contract/driver.ts',
    hosts: 2,
    log: () => undefined,
  });
  return examination.rows.get(type);
}

test('every folder of cases is of a state type', (t) => {
  const strangers = cases.map(({ type }) => type).filter((type) => !stateTypes.has(type));
  t.deepEqual([...new Set(strangers)], []);
});

for (const type of [...stateTypes.keys()].toSorted()) {
  onHost(`${type} keeps the contract`, async (t) => {
    t.timeout(3_600_000);
    const row = await rowOf(type);
    t.deepEqual(row?.complaints, []);
    if (row !== undefined && row.counts.skipped > 0)
      t.log(`SKIPPED ${row.counts.skipped} cases: this machine lacks what they need`);
  });
}

onHost('the matrix has no empty cell that is not explained', async (t) => {
  const rows = [...(examination?.rows.values() ?? [])];
  const ordered = (await Promise.all(rows)).toSorted((a, b) => (a.type < b.type ? -1 : 1));
  t.log(renderMatrix(ordered));
  t.log(renderCounts(ordered, cases));
  t.is(ordered.length, stateTypes.size);
  for (const { type, cells } of ordered) {
    const empty = [...cells].filter(([, cell]) => cell.is === 'empty').map(([clause]) => clause);
    t.deepEqual(empty, [], type);
  }
  await examination?.ended;
});
