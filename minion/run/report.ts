import { countOutcomes } from '../../protocol/report.ts';
import type { Outcome, Report } from '../../protocol/report.ts';
import type { RunRequest } from '../../protocol/run-request.ts';
import { ConductorError } from '../../shared/errors.ts';
import { errorOf } from '../engine/outcome.ts';
import type { Debt } from '../engine/owed.ts';

export interface Ended {
  readonly startedAt: Date;
  /** By a clock that nobody sets. */
  readonly milliseconds: number;
  /** Aborted if the run had to end before its end. */
  readonly signal: AbortSignal;
  /** What kept the run itself from being done; `null` if it went through all states. */
  readonly error: unknown;
  readonly outcomes: readonly Outcome[];
  readonly debts: readonly Debt[];
  readonly redact: (text: string) => string;
  /** Where it was when it ended. */
  readonly at: string;
}

/** The report of a run that has ended, however it did. */
export function reportOf(request: RunRequest, ended: Ended): Report {
  const { options, minion, revision, paused, starts } = request;
  const { startedAt, milliseconds, signal, outcomes, redact } = ended;
  const { job, cause, dryRun, stateFiles } = options;
  const debts = ended.debts.map(({ key, kind, because, since }) => ({
    key: redact(key),
    kind,
    because: redact(because),
    since,
  }));
  const error = signal.aborted ? stoppedAt(signal.reason, ended.at) : ended.error;
  return {
    job,
    minion: minion.id,
    cause,
    revision,
    dryRun,
    ...(stateFiles.length === 0 ? {} : { stateFiles }),
    status: statusOf(ended),
    ...(error === null ? {} : { error: errorOf(error, redact) }),
    startedAt: startedAt.toISOString(),
    endedAt: new Date(startedAt.getTime() + milliseconds).toISOString(),
    ...(starts === undefined ? {} : { starts }),
    counts: countOutcomes(outcomes),
    outcomes: [...outcomes],
    owed: [...new Set(debts.map(({ key }) => key))],
    debts,
    ...(paused === undefined ? {} : { paused }),
  };
}

/** Why it had to end, with where it was. */
function stoppedAt(reason: unknown, at: string): unknown {
  if (!(reason instanceof ConductorError)) return reason;
  return new ConductorError(reason.code, `${reason.message} ${at}`, { cause: reason });
}

function statusOf({ signal, error, outcomes }: Ended): Report['status'] {
  if (signal.aborted) return isTimeout(signal.reason) ? 'timeout' : 'cancelled';
  const has = (status: Outcome['status']): boolean =>
    outcomes.some((outcome) => outcome.status === status);
  if (error !== null || has('failed')) return 'failed';
  return has('changed') ? 'changed' : 'ok';
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof ConductorError && reason.code === 'COMMAND_TIMEOUT';
}
