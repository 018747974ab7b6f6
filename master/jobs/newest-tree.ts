import type { Job, JobTarget } from '../store/store.ts';
import type { JobContext } from './job-context.ts';
import { isEarly, type Standing } from './plan-turns.ts';

/**
 * A job that begins later than it was made applies the tree as it is when it begins: nothing that was
 * changed meanwhile is put back. From then on all of its targets get that one.
 */
export async function onNewestTree(
  { store, newest, log }: JobContext,
  job: Job,
  standing: Standing,
): Promise<Job> {
  const revision = begins(job, standing) ? newest() : null;
  if (revision === null || revision === job.revision) return job;
  await store.jobs.setRevision(job.id, revision);
  log.info({ job: job.id, made: job.revision, revision }, 'Job begins with a newer tree');
  return { ...job, revision };
}

/** What a job applies; `null` while that is not settled, and if it ended before it was. */
export function revisionOf(
  { rollout, revision }: Job,
  targets: readonly Pick<JobTarget, 'state' | 'expiresAt'>[],
): string | null {
  if (rollout.startsAt === null) return revision;
  const hasBegun = targets.some(
    ({ state, expiresAt }) => expiresAt !== null || !['queued', 'cancelled'].includes(state),
  );
  return hasBegun ? revision : null;
}

/** It is its time, and nobody has got it yet. */
function begins(job: Job, { now, queued, tally }: Standing): boolean {
  if (job.rollout.startsAt === null || isEarly(job, now)) return false;
  const isUntouched = [...tally.keys()].every((state) => state === 'queued');
  return isUntouched && queued.every(({ is, expiresAt }) => is !== 'sent' && expiresAt === null);
}
