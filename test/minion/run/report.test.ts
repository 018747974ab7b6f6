import test from 'ava';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportOf } from '../../../minion/run/report.ts';
import { reportSchema } from '../../../protocol/report.ts';
import { renderReport } from '../../../shared/render-run.ts';
import { oneFile, runRequest } from '../../helpers/run-request.ts';

const place = mkdtempSync(join(tmpdir(), 'conductor-report-'));
const request = runRequest(place, { files: oneFile('') });
const ended = {
  startedAt: new Date('2036-01-01T00:00:00.000Z'),
  milliseconds: 1_500,
  signal: new AbortController().signal,
  error: null,
  outcomes: [],
  debts: [],
  redact: (text: string) => text,
  at: 'before its first state',
};

test('a run has taken as long as it did, whatever its clock was set to meanwhile', (t) => {
  const { startedAt, endedAt } = reportOf(request, ended);
  t.deepEqual([startedAt, endedAt], ['2036-01-01T00:00:00.000Z', '2036-01-01T00:00:01.500Z']);
});

test('a report tells which state files were applied, unless it was the whole tree', (t) => {
  t.false('stateFiles' in reportOf(request, ended));
  const options = { ...request.options, stateFiles: ['motd', 'nginx'] };
  const report = reportSchema.parse(reportOf({ ...request, options }, ended));
  t.deepEqual(report.stateFiles, options.stateFiles);
});

test('a report tells of the pause that held scheduled runs back, and is shown with it', (t) => {
  t.false('paused' in reportOf(request, ended));
  const paused = {
    since: '2026-03-01T12:00:00.000Z',
    until: '2026-03-01T14:00:00.000Z',
    why: 'moving the database',
    by: 'master',
  } as const;
  const report = reportSchema.parse(reportOf({ ...request, paused, starts: 2 }, ended));
  t.is(report.starts, 2);
  t.deepEqual(report.paused, paused);
  const shown = renderReport(report, { color: false, verbose: false });
  t.is(shown.at(-1), `    paused no scheduled runs until ${paused.until}: ${paused.why}`);
});
