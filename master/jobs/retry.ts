import { ConductorError } from '../../shared/errors.ts';
import type { TargetState } from '../../protocol/messages.ts';
import type { Job, JobTarget } from '../store/store.ts';
import type { JobRequest } from './jobs.ts';
import { ALL_AT_ONCE, type Rollout } from './rollout.ts';

const FAILED = ['failed', 'timeout', 'expired', 'unreachable', 'interrupted'] as const;

/** What to ask for to try again what has not succeeded. Throws TARGET_EMPTY if there is nothing. */
export function retryOf(
  job: Job,
  targets: readonly JobTarget[],
  { cancelled, now }: { cancelled: boolean; now: Date },
): Omit<JobRequest, 'revision'> {
  const states: readonly TargetState[] = cancelled ? [...FAILED, 'cancelled'] : FAILED;
  const failed = targets.filter(({ state }) => states.includes(state));
  if (failed.length === 0) throw nothingFailed(job, targets);
  const { target, stateFiles, params, dryRun, timeoutSeconds } = job;
  return {
    target,
    stateFiles,
    params,
    dryRun,
    timeoutSeconds,
    minions: failed.map(({ minion }) => minion),
    rollout: fromNow(job, now),
    retryOf: job.id,
  };
}

/** It begins at once, and may take as long as the first one might. */
function fromNow({ createdAt, rollout }: Job, now: Date): Rollout {
  const { startsAt, expiresAt } = rollout;
  if (expiresAt === null) return { ...rollout, startsAt: ALL_AT_ONCE.startsAt };
  const span = Date.parse(expiresAt) - Date.parse(startsAt ?? createdAt);
  return { ...rollout, startsAt: null, expiresAt: new Date(now.getTime() + span).toISOString() };
}

function nothingFailed(job: Job, targets: readonly JobTarget[]): ConductorError {
  const isCancelled = targets.some(({ state }) => state === 'cancelled');
  const hint = isCancelled ? '; --cancelled takes those that were cancelled too' : '';
  const message = `Cannot retry the job "${job.id}": none of its targets has failed${hint}`;
  return new ConductorError('TARGET_EMPTY', message);
}
