import { stateTypes } from '../../../minion/state-types/index.ts';
import { checkPrerequisites, describeMissing } from '../../hosts/prerequisites.ts';
import { loadCases } from './case.ts';
import type { NamedCase } from './case.ts';
import { renderCounts, renderMatrix } from './matrix.ts';
import type { Row } from './matrix.ts';
import { examineTypes } from './run-types.ts';

/**
 * `npm run test:states [-- type…]`: the contract of the state types on real hosts, and its matrix. With `--watch` each call
 * of every dry run is watched, and not only of one case of each type.
 */

const WATCH = '--watch';
const asked = process.argv.slice(2).filter((word) => word !== WATCH);
const all = loadCases('test/state-types', isAsked).map(watchedIfAsked);
refuseStrangers();
const missing = await checkPrerequisites();
if (missing.length > 0) sayNotTested();
else await main();

function log(line: string): void {
  console.log(`# ${line}`);
}

async function main(): Promise<void> {
  const types = new Map([...stateTypes].filter(([name]) => isAsked(name)));
  const cases = all.filter(({ type }) => types.has(type));
  const hosts = types.size > 8 ? 2 : 1;
  const examination = examineTypes({
    types,
    cases,
    entry: 'test/e2e/contract/driver.ts',
    hosts,
    log,
  });
  const rows: Row[] = [];
  const shown = [...examination.rows.values()].map(async (row) => {
    const ended = await row;
    rows.push(ended);
    showProgress(ended, types.size, rows.length);
  });
  await examination.ended;
  await Promise.all(shown);
  conclude(
    rows.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
    cases,
  );
}

function watchedIfAsked(named: NamedCase): NamedCase {
  if (!process.argv.includes(WATCH)) return named;
  return { ...named, case: { ...named.case, watch: true } };
}

/** `user.present`, or a beginning of names such as `user`. */
function isAsked(name: string): boolean {
  return asked.length === 0 || asked.some((one) => name === one || name.startsWith(`${one}.`));
}

function refuseStrangers(): void {
  const folders = new Set(all.map(({ type }) => type).filter((type) => !stateTypes.has(type)));
  const words = asked.filter(
    (one) => ![...stateTypes.keys()].some((name) => name === one || name.startsWith(`${one}.`)),
  );
  if (folders.size > 0)
    console.log(`these folders of cases are of no state type: ${[...folders].join(', ')}`);
  if (words.length > 0) {
    console.error(`there is no state type ${words.join(', ')}`);
    process.exit(2);
  }
}

function showProgress(
  { type, cases, complaints, milliseconds }: Row,
  total: number,
  count: number,
): void {
  const sign = complaints.length === 0 ? 'ok    ' : 'FAILED';
  console.log(
    `${sign} ${type} (${cases} cases, ${(milliseconds / 1000).toFixed(1)} s) ${count}/${total}`,
  );
  for (const complaint of complaints)
    console.log(`       ${complaint.replaceAll('\n', '\n       ')}`);
}

function conclude(rows: readonly Row[], cases: readonly NamedCase[]): void {
  console.log(`\n${renderMatrix(rows)}\n`);
  const sum = (key: keyof Row['counts']): number =>
    rows.reduce((total, { counts }) => total + counts[key], 0);
  for (const { type, counts } of rows)
    if (counts.skipped > 0) console.log(`SKIPPED ${counts.skipped} of ${type}`);
  const strangers = new Set(all.map(({ type }) => type).filter((type) => !stateTypes.has(type)));
  console.log(renderCounts(rows, cases));
  console.log(
    `${sum('passed')} passed, ${sum('failed') + strangers.size} failed, ${sum('skipped')} skipped`,
  );
  process.exitCode =
    rows.some(({ complaints }) => complaints.length > 0) || strangers.size > 0 ? 1 : 0;
}

function sayNotTested(): void {
  console.log(`NOT TESTED on real hosts, because this machine lacks`);
  for (const thing of missing) console.log(`  - ${describeMissing(thing)}`);
  console.log(`0 passed, 0 failed, ${all.length} skipped`);
}
