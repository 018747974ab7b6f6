import test from 'ava';
import { fitReport } from '../../minion/fit-report.ts';
import { MINION_MESSAGE_CAPS } from '../../protocol/messages.ts';
import { LARGEST_REPORT, countOutcomes, reportSchema } from '../../protocol/report.ts';
import type { Outcome, Report } from '../../protocol/report.ts';
import { renderReport } from '../../shared/render-run.ts';
import { reportOf } from './agent/fakes.ts';

function outcome(number: number, more: Partial<Outcome> = {}): Outcome {
  const id = `/etc/nginx/sites-available/one-of-many-${number}.conf`;
  return {
    key: `file.managed ${id}`,
    id,
    name: id,
    type: 'file.managed',
    place: 'states/nginx/sites.yaml:120:3',
    status: 'unchanged',
    startedAt: '2026-01-01T00:00:00.000Z',
    milliseconds: 12.3,
    ...more,
  };
}

function reportWith(count: number, more: (number: number) => Partial<Outcome>): Report {
  const outcomes = Array.from({ length: count }, (_, number) => outcome(number, more(number)));
  const job = '019a0000-0000-7000-8000-000000000000';
  return { ...reportOf(job), outcomes, counts: countOutcomes(outcomes) };
}

function sizeOf(report: Report): number {
  return Buffer.byteLength(JSON.stringify({ type: 'report', report }));
}

test('20,000 states that all have changed are told in full', (t) => {
  const report = reportWith(20_000, () => ({
    status: 'changed',
    change: { action: 'update', from: { mode: '0600' }, to: { mode: '0644', user: 'root' } },
    origin: { kind: 'drift', times: 3, since: '2026-01-01T00:00:00.000Z' },
  }));
  t.is(fitReport(report), report);
  t.true(sizeOf(report) < LARGEST_REPORT);
});

test('of a report that is too large texts go first, then details, and it says so', (t) => {
  const change = { action: 'create', to: { content: 'c'.repeat(100) } } as const;
  const diff = 'd'.repeat(1000);
  const report = reportWith(10, () => ({ status: 'changed', change, diff, output: 'o' }));
  const shorter = fitReport(report, sizeOf(report) - 5000);
  t.like(shorter, { counts: report.counts, outcomes: { length: 10 } });
  t.deepEqual(shorter.outcomes[0]?.change, change);
  t.false('diff' in (shorter.outcomes[0] ?? {}));
  const [, said] = renderReport(shorter, { color: false, verbose: false });
  t.is(said, '    shortened the report was too large: differences and outputs are left out');

  const bare = fitReport(report, 4000);
  t.false('change' in (bare.outcomes[0] ?? {}));
  t.is(bare.outcomes.length, 10);
  t.regex(bare.shortened ?? '', /all details are left out/u);
});

test('of outcomes that do not fit, those that went well go first, and all are counted', (t) => {
  const message = 'Cannot do it: '.repeat(200);
  const report = reportWith(100_000, (number) =>
    number % 1000 === 0 ? { status: 'failed', error: { code: 'BUG', message } } : {},
  );
  const fitting = fitReport(report);
  t.true(sizeOf(fitting) <= MINION_MESSAGE_CAPS.report);
  t.notThrows(() => reportSchema.parse(fitting));
  t.deepEqual(fitting.counts, report.counts);
  t.is(fitting.outcomes.filter(({ status }) => status === 'failed').length, 100);
  t.true(fitting.outcomes.length > 40_000);
  const left = report.outcomes.length - fitting.outcomes.length;
  t.regex(
    fitting.shortened ?? '',
    new RegExp(`all details, and ${left} outcomes, are left out`, 'u'),
  );
});
