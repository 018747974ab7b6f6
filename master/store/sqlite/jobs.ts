import type { Selectable } from 'kysely';
import type { Job, JobStore, JobTarget, TargetChange } from '../store.ts';
import {
  countsColumn,
  errorColumn,
  namesColumn,
  orNull,
  targetStateColumn,
  valuesColumn,
} from './columns.ts';
import type { Database, Tables } from './database.ts';
import type { Commit } from './group-commit.ts';

const UNFINISHED = ['queued', 'delivered', 'running'] as const;

export function jobStore(database: Database, commit: Commit): JobStore {
  return {
    create: (job, targets) => commit((unit) => create(unit, job, targets)),
    async get(id) {
      const query = database.selectFrom('jobs').selectAll().where('id', '=', id);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : jobOf(row);
    },
    async list(limit) {
      const query = database.selectFrom('jobs').selectAll();
      return (
        await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute()
      ).map(jobOf);
    },
    async targets(job) {
      const query = database.selectFrom('targets').selectAll().where('job', '=', job);
      return (await query.orderBy('minion').execute()).map(targetOf);
    },
    moveTarget: (of, change) => commit((unit) => moveTarget(unit, of, change)),
    unfinished: () => unfinished(database),
    unfinishedOf: (minion) => unfinishedOf(database, minion),
    overdue: (now) => overdue(database, now),
  };
}

/** A statement takes so many rows at once. */
const ROWS_AT_ONCE = 500;

async function create(database: Database, job: Job, targets: readonly JobTarget[]): Promise<void> {
  await database.insertInto('jobs').values(jobRow(job)).execute();
  const rows = targets.map(({ counts, error, updatedAt, ...target }) => ({
    ...target,
    ...changedColumns({ state: target.state, updatedAt, counts, error }),
  }));
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE)
    await database
      .insertInto('targets')
      .values(rows.slice(from, from + ROWS_AT_ONCE))
      .execute();
}

async function moveTarget(
  database: Database,
  { job, minion, from }: Parameters<JobStore['moveTarget']>[0],
  change: TargetChange,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('targets')
    .set(changedColumns(change))
    .where('job', '=', job)
    .where('minion', '=', minion)
    .where('state', 'in', from)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

async function unfinished(database: Database): Promise<JobTarget[]> {
  const query = database.selectFrom('targets').selectAll().where('state', 'in', UNFINISHED);
  return (await query.orderBy('job').execute()).map(targetOf);
}

async function unfinishedOf(
  database: Database,
  minion: string,
): Promise<{ job: Job; target: JobTarget }[]> {
  const targets = await database
    .selectFrom('targets')
    .selectAll()
    .where('minion', '=', minion)
    .where('state', 'in', UNFINISHED)
    .execute();
  if (targets.length === 0) return [];
  const byJob = new Map(targets.map((row) => [row.job, targetOf(row)]));
  const jobs = await database
    .selectFrom('jobs')
    .selectAll()
    .where('id', 'in', [...byJob.keys()])
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return jobs.flatMap((row) => {
    const target = byJob.get(row.id);
    return target === undefined ? [] : [{ job: jobOf(row), target }];
  });
}

async function overdue(
  database: Database,
  now: string,
): Promise<{ target: JobTarget; why: 'expired' | 'timeout' }[]> {
  const rows = await database
    .selectFrom('targets')
    .innerJoin('jobs', 'jobs.id', 'targets.job')
    .selectAll('targets')
    .where('state', 'in', UNFINISHED)
    .where((is) =>
      is.or([
        is('deadline', '<=', now),
        is.and([is('state', '=', 'queued'), is('expires_at', '<=', now)]),
      ]),
    )
    .execute();
  return rows.map((row) => ({
    target: targetOf(row),
    why: row.state === 'queued' ? 'expired' : 'timeout',
  }));
}

function changedColumns({ state, updatedAt, counts, error }: TargetChange) {
  return {
    state,
    updated_at: updatedAt,
    ...(counts === undefined ? {} : { counts: counts === null ? null : JSON.stringify(counts) }),
    ...(error === undefined ? {} : { error: error === null ? null : JSON.stringify(error) }),
  };
}

function targetOf(row: Selectable<Tables['targets']>): JobTarget {
  return {
    job: row.job,
    minion: row.minion,
    state: targetStateColumn(row.state),
    updatedAt: row.updated_at,
    counts: orNull(countsColumn, row.counts),
    error: orNull(errorColumn, row.error),
  };
}

function jobOf(row: Selectable<Tables['jobs']>): Job {
  return {
    id: row.id,
    createdAt: row.created_at,
    target: row.target,
    stateFiles: namesColumn(row.state_files),
    params: valuesColumn(row.params),
    dryRun: row.dry_run === 1,
    timeoutSeconds: row.timeout_seconds,
    revision: row.revision,
    expiresAt: row.expires_at,
    deadline: row.deadline,
  };
}

function jobRow(job: Job): Selectable<Tables['jobs']> {
  return {
    id: job.id,
    created_at: job.createdAt,
    target: job.target,
    state_files: JSON.stringify(job.stateFiles),
    params: JSON.stringify(job.params),
    dry_run: job.dryRun ? 1 : 0,
    timeout_seconds: job.timeoutSeconds,
    revision: job.revision,
    expires_at: job.expiresAt,
    deadline: job.deadline,
  };
}
