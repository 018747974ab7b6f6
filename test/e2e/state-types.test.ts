import test from 'ava';
import { stateTypes } from '../../minion/state-types/index.ts';
import { testOnHosts } from '../hosts/on-hosts.ts';
import { checkPrerequisites } from '../hosts/prerequisites.ts';
import { loadCases } from './contract/case.ts';
import { renderCounts, renderMatrix } from './contract/matrix.ts';
import { fitsOwnKernel } from './contract/own-kernel.ts';
import { probeFeatures } from './contract/probe.ts';
import { examineTypes } from './contract/run-types.ts';
import type { Examination } from './contract/run-types.ts';

/** The contract of every state type in the registry, on real hosts: one test for each type. */

const onHost = await testOnHosts(test);
/** Each system call of dry runs is watched by `npm run test:states`; here what they leave is. */
const cases = loadCases('test/state-types').map((named) => ({
  ...named,
  case: { ...named.case, watch: named.case.watch ?? false },
}));
const lacking = await lackingCases();
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

for (const { type, name, feature } of lacking) {
  test.skip(`${type} (${name}): this machine lacks ${feature}`, () => undefined);
}

/** Cases that no host of this machine is made for: each is counted as skipped. */
async function lackingCases() {
  const asking = cases.filter((named) => named.case.requires.length > 0);
  if (asking.length === 0 || (await checkPrerequisites()).length > 0) return [];
  const lacking = await probeFeatures(new Set(asking.flatMap((named) => named.case.requires)));
  return asking.flatMap((named) => {
    const feature = named.case.requires.find((one) => lacking.has(one) && !fitsOwnKernel(named));
    return feature === undefined ? [] : [{ type: named.type, name: named.name, feature }];
  });
}

for (const type of [...stateTypes.keys()].toSorted()) {
  onHost(`${type} keeps the contract`, async (t) => {
    t.timeout(3_600_000);
    const row = await rowOf(type);
    t.deepEqual(row?.complaints, []);
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
