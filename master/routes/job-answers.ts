import type { JobAnswer } from '../api/answers.ts';
import type { Run } from '../jobs/find-run.ts';
import { revisionOf } from '../jobs/newest-tree.ts';
import type { Services } from '../services.ts';
import type { Job, ReportSummary } from '../store/store.ts';

/** A run as the socket tells it. */
export function runAnswer(services: Services, run: Run): Promise<JobAnswer> {
  return run.kind === 'job' ? jobAnswer(services, run.job) : ownRunAnswer(services, run.own);
}

export async function jobAnswer({ store, presence, jobs }: Services, job: Job): Promise<JobAnswer> {
  const { id, createdAt, target, params, dryRun, timeoutSeconds, rollout } = job;
  const targets = await store.jobs.targets(id);
  const waitsFor = await jobs.waitsIn(job);
  return {
    id,
    kind: 'job',
    createdAt,
    target,
    stateFiles: [...job.stateFiles],
    params: { ...params },
    dryRun,
    timeoutSeconds,
    rollout: { ...rollout },
    cancelledAt: job.cancelledAt,
    retryOf: job.retryOf,
    revision: revisionOf(job, targets),
    targets: targets.map((row) => {
      const { minion, state, updatedAt, counts, error } = row;
      const online = presence.get(minion) !== null;
      const progress = jobs.progressOf(id, minion);
      const waits = waitsFor(row);
      return { minion, state, online, updatedAt, counts, error, waits, progress };
    }),
  };
}

async function ownRunAnswer(
  { store, presence }: Services,
  { job: id, minion, cause: kind, startedAt, endedAt, ...own }: ReportSummary,
): Promise<JobAnswer> {
  const { dryRun, revision, counts, status: state } = own;
  const error = (await store.reports.get(id, minion))?.error ?? null;
  const told = error === null ? null : { code: error.code, message: error.message };
  const online = presence.get(minion) !== null;
  return {
    id,
    kind,
    createdAt: startedAt,
    target: minion,
    stateFiles: [...own.stateFiles],
    params: {},
    dryRun,
    timeoutSeconds: null,
    rollout: null,
    cancelledAt: null,
    retryOf: null,
    revision,
    targets: [
      {
        minion,
        state,
        online,
        updatedAt: endedAt,
        counts,
        error: told,
        waits: null,
        progress: null,
      },
    ],
  };
}
