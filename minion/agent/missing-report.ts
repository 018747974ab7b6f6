import { countOutcomes } from '../../protocol/report.ts';
import type { Outcome, Report } from '../../protocol/report.ts';
import type { RunOptions } from '../../protocol/run-request.ts';
import type { JournalEntry } from '../agent-files.ts';

export interface MissingReport {
  readonly minion: string;
  readonly options: RunOptions;
  /** `null` if it was never known. */
  readonly revision: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** What it is known to have changed. */
  readonly outcomes: readonly Outcome[];
}

/**
 * In place of a report that its disk has damaged: what the run has done stays done, and nobody knows what that was. What
 * it was is known from the journal; that tells of all runs but those that somebody has started on the host itself.
 */
export function damagedReport(
  minion: string,
  { job, entry }: { readonly job: string; readonly entry: JournalEntry | null },
  now: Date,
): Report {
  const options = entry?.options ?? { ...LOCAL, job };
  const message = 'Cannot read the report of the run: its file was damaged and has been put aside';
  const received = entry === null ? now : new Date(entry.receivedAt);
  const startedAt = received < now ? received : now;
  const revision = entry?.revision ?? null;
  const run = { minion, options, revision, startedAt, endedAt: now, outcomes: [] };
  return missingReport(run, 'interrupted', { code: 'RUN_LOST', message });
}

const LOCAL = {
  cause: 'local',
  dryRun: false,
  stateFiles: [],
  params: {},
  timeoutSeconds: 1,
} as const satisfies Omit<RunOptions, 'job'>;

/** The report of a run that could not make one of its own. */
export function missingReport(
  { minion, options, revision, startedAt, endedAt, outcomes }: MissingReport,
  status: Report['status'],
  error: { readonly code: string; readonly message: string },
): Report {
  return {
    job: options.job,
    minion,
    cause: options.cause,
    revision: revision ?? '',
    dryRun: options.dryRun,
    ...(options.stateFiles.length === 0 ? {} : { stateFiles: options.stateFiles }),
    status,
    error,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    counts: countOutcomes(outcomes),
    outcomes: [...outcomes],
    owed: [],
  };
}
