import type { JobEvent } from '../../protocol/messages.ts';
import type { ReportSummary, Store } from '../store/store.ts';
import { exitCodeOfTargets } from './job-result.ts';

/** What a minion did by itself, told as a job that has ended. */
export async function* retell(
  { reports }: Pick<Store, 'reports'>,
  { job, minion, revision, status: state, counts }: ReportSummary,
): AsyncIterable<JobEvent> {
  yield { event: 'job', job, revision, targets: [minion] };
  const report = await reports.get(job, minion);
  if (report !== null) yield { event: 'run', minion, run: { event: 'report', report } };
  const error = report?.error ?? null;
  const told = error === null ? {} : { error: { code: error.code, message: error.message } };
  yield { event: 'target', minion, state, counts, ...told };
  yield { event: 'done', exitCode: exitCodeOfTargets([{ state, error }]) };
}
