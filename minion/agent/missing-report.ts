import { countOutcomes } from '../../protocol/report.ts';
import type { Report } from '../../protocol/report.ts';
import type { RunOptions } from '../../protocol/run-request.ts';

export interface MissingReport {
  readonly minion: string;
  readonly options: RunOptions;
  /** `null` if it was never known. */
  readonly revision: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/** The report of a run that could not make one of its own. */
export function missingReport(
  { minion, options, revision, startedAt, endedAt }: MissingReport,
  status: Report['status'],
  error: { readonly code: string; readonly message: string },
): Report {
  return {
    job: options.job,
    minion,
    cause: options.cause,
    revision: revision ?? '',
    dryRun: options.dryRun,
    status,
    error,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    counts: countOutcomes([]),
    outcomes: [],
    owed: [],
  };
}
