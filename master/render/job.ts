import type { Outcome, Report } from '../../protocol/report.ts';
import { escapeControls } from '../../shared/log.ts';
import { renderCounts } from '../../shared/render-counts.ts';
import { renderOutcome, type RenderOptions, renderReport } from '../../shared/render-run.ts';
import type { JobAnswer } from '../api/answers.ts';
import { ALL_AT_ONCE } from '../jobs/rollout.ts';
import type { Terminal } from '../cli/terminal.ts';
import { prefixBelow, prefixOf } from './host-lines.ts';
import { TREE_AS_IT_IS } from './later.ts';
import { FEW, isFailure, renderSame } from './same-outcomes.ts';
import { renderTable, renderTime, shortRevision } from './table.ts';

/** A job, or what a minion ran by itself, and a line for each of its targets. */
export function renderJob(job: JobAnswer, terminal: Terminal): string[] {
  const { isTerminal } = terminal;
  const rows = job.targets.map(({ minion, state, online, updatedAt, ...result }) => [
    minion,
    state,
    online ? 'online' : 'offline',
    renderTime(updatedAt, { isTerminal, now: terminal.now() }),
    resultOf(result),
  ]);
  return [
    titleOf(job),
    [`made ${job.createdAt}`, ...treeOf(job), ...askedOf(job)].join(', '),
    ...renderTable(['minion', 'state', 'is', 'since', 'result'], rows, terminal),
  ];
}

function titleOf({ id, kind, target, stateFiles, dryRun }: JobAnswer): string {
  const mode = dryRun ? ' (dry run)' : '';
  const on = escapeControls(target);
  if (kind === 'refresh') return `refresh ${id} of ${on}${mode}`;
  if (kind === 'local') return `local run ${id} of ${on}${mode}`;
  const files = stateFiles.length === 0 ? 'the top file' : stateFiles.join(', ');
  return `job ${id}: ${escapeControls(files)} on ${on}${mode}`;
}

/** Nothing of a job that was cancelled before that was settled. */
function treeOf({ revision, cancelledAt }: JobAnswer): string[] {
  if (revision !== null) return [`revision ${shortRevision(revision)}`];
  return cancelledAt === null ? [TREE_AS_IT_IS] : [];
}

/** How it was to go, as far as that is not how jobs go anyway. */
function askedOf({ rollout, retryOf, cancelledAt }: JobAnswer): string[] {
  const { batch, maxFailures, startsAt, expiresAt, queue } = rollout ?? ALL_AT_ONCE;
  const said = [
    [retryOf, 'retry of'],
    [batch, 'batch'],
    [maxFailures, 'max failures'],
    [startsAt, 'begins'],
    [expiresAt, 'expires'],
    [cancelledAt, 'cancelled'],
    [queue ? null : 'no queue', ''],
  ] as const;
  return said.flatMap(([value, word]) => (value === null ? [] : [`${word} ${value}`.trim()]));
}

type Target = JobAnswer['targets'][number];

type Result = Pick<Target, 'error' | 'counts' | 'waits' | 'progress'>;

function resultOf({ error, counts, waits, progress }: Result) {
  if (error !== null) return error.message.split('\n')[0] ?? '';
  if (counts !== null) return renderCounts(counts);
  if (waits !== null) return waits;
  return progress === null ? '' : `${progress.number}/${progress.total} ${progress.current}`;
}

/** What the runs did, state by state; nothing of a run that has nothing to say. */
export function renderReports(reports: readonly Report[], options: RenderOptions): string[] {
  const prefix = (minion: string) => prefixOf(minion, { among: reports.length });
  const show = (report: Report, outcomes: readonly Outcome[]) =>
    renderOne(report, { outcomes, before: prefix(report.minion) }, options);
  if (reports.length <= FEW || options.verbose)
    return reports.flatMap((report) => show(report, report.outcomes));
  const failures = reports.flatMap((report) => show(report, report.outcomes.filter(isFailure)));
  const same = renderSame(reports, options);
  return [...failures, ...(same.length > 0 ? ['', ...same] : [])];
}

interface Part {
  readonly outcomes: readonly Outcome[];
  readonly before: string;
}

function renderOne(report: Report, { outcomes, before }: Part, options: RenderOptions): string[] {
  const lines = outcomes.flatMap((outcome) => renderOutcome(outcome, options));
  const { error, owed, shortened } = report;
  const hasSaid =
    lines.length > 0 || error !== undefined || owed.length > 0 || shortened !== undefined;
  return hasSaid
    ? [
        '',
        ...lines.map((line) => `${before}${line}`),
        ...prefixBelow(renderReport(report, options), before),
      ]
    : [];
}
