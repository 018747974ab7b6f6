import { type Selectable, sql } from 'kysely';
import type { Job, JobTarget, TargetChange } from '../store.ts';
import {
  countsColumn,
  errorColumn,
  namesColumn,
  orNull,
  rolloutColumn,
  targetStateColumn,
  valuesColumn,
} from './columns.ts';
import type { Tables } from './database.ts';

/** Jobs and their targets as rows, and back. */

/** Word for word as the index has it: only then does SQLite look there, and not through all targets there ever were. */
export const isUnfinished = sql<boolean>`targets.state in ('queued', 'delivered', 'running')`;

export function changedColumns(change: TargetChange) {
  const { state, updatedAt, counts, error, expiresAt, deadline } = change;
  return {
    state,
    updated_at: updatedAt,
    ...(counts === undefined ? {} : { counts: counts === null ? null : JSON.stringify(counts) }),
    ...(error === undefined ? {} : { error: error === null ? null : JSON.stringify(error) }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}

export function targetOf(row: Selectable<Tables['targets']>): JobTarget {
  return {
    job: row.job,
    minion: row.minion,
    state: targetStateColumn(row.state),
    updatedAt: row.updated_at,
    counts: orNull(countsColumn, row.counts),
    error: orNull(errorColumn, row.error),
    expiresAt: row.expires_at,
    deadline: row.deadline,
  };
}

export function jobOf(row: Selectable<Tables['jobs']>): Job {
  return {
    id: row.id,
    createdAt: row.created_at,
    target: row.target,
    stateFiles: namesColumn(row.state_files),
    params: valuesColumn(row.params),
    dryRun: row.dry_run === 1,
    timeoutSeconds: row.timeout_seconds,
    revision: row.revision,
    rollout: rolloutColumn(row.rollout),
    cancelledAt: row.cancelled_at,
    retryOf: row.retry_of,
  };
}

export function jobRow(job: Job): Selectable<Tables['jobs']> {
  return {
    id: job.id,
    created_at: job.createdAt,
    target: job.target,
    state_files: JSON.stringify(job.stateFiles),
    params: JSON.stringify(job.params),
    dry_run: job.dryRun ? 1 : 0,
    timeout_seconds: job.timeoutSeconds,
    revision: job.revision,
    rollout: JSON.stringify(job.rollout),
    cancelled_at: job.cancelledAt,
    retry_of: job.retryOf,
  };
}
