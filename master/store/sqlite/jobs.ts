import { sql } from 'kysely';
import type { Job, JobStore, JobTarget, RunQuery, Tally, TargetChange } from '../store.ts';
import { targetStateColumn } from './columns.ts';
import type { Database } from './database.ts';
import type { Commit } from './group-commit.ts';
import { changedColumns, isUnfinished, jobOf, jobRow, targetOf } from './job-rows.ts';
import { stateFilesOpenTo } from './open-state-files.ts';

export function jobStore(database: Database, commit: Commit): JobStore {
  return {
    create: (job, targets) => commit((unit) => create(unit, job, targets)),
    async get(id) {
      const query = database.selectFrom('jobs').selectAll().where('id', '=', id);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : jobOf(row);
    },
    list: (query) => list(database, query),
    async targets(job) {
      const query = database.selectFrom('targets').selectAll().where('job', '=', job);
      return (await query.orderBy('minion').execute()).map(targetOf);
    },
    moveTarget: (of, change) => commit((unit) => moveTarget(unit, of, change)),
    unfinished: () => unfinished(database),
    unfinishedOf: (minion) => unfinishedOf(database, minion),
    stateFilesOpenTo: (minion, revision) => stateFilesOpenTo(database, minion, revision),
    setRevision: (id, revision) => commit((unit) => setRevision(unit, id, revision)),
    cancel: (id, at) => commit((unit) => cancel(unit, id, at)),
    cancelledOf: (ids) => cancelledOf(database, ids),
    withQueued: () => withQueued(database),
    queuedOf: (job) => queuedOf(database, job),
    underWayOf: (job) => underWayOf(database, job),
    tally: (job) => tally(database, job),
    endedAfter: (job, then) => endedAfter(database, job, then),
    overdue: (now) => overdue(database, now),
  };
}

async function list(database: Database, asked: RunQuery): Promise<Job[]> {
  const { limit, prefix, before, since = '', minions, states } = asked;
  let query = database.selectFrom('jobs').selectAll().where('created_at', '>=', since);
  // Ids are hex digits and dashes: all that begin so lie between these.
  if (prefix !== undefined) query = query.where('id', '>=', prefix).where('id', '<', `${prefix}~`);
  if (before !== undefined)
    query = query.where(sql<boolean>`(created_at, id) < (${before.at}, ${before.id})`);
  if (minions !== undefined || states !== undefined)
    query = query.where((job) => {
      let target = job.selectFrom('targets').select('job').whereRef('job', '=', 'jobs.id');
      if (minions !== undefined) target = target.where('minion', 'in', minions);
      if (states !== undefined) target = target.where('state', 'in', states);
      return job.exists(target);
    });
  query = query.orderBy('created_at', 'desc').orderBy('id', 'desc');
  return (await query.limit(limit).execute()).map(jobOf);
}

/** A statement takes so many rows at once. */
const ROWS_AT_ONCE = 500;

async function create(database: Database, job: Job, targets: readonly JobTarget[]): Promise<void> {
  await database.insertInto('jobs').values(jobRow(job)).execute();
  const rows = targets.map(({ job: of, minion, ...rest }) => ({
    job: of,
    minion,
    ...changedColumns(rest),
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
  const query = database.selectFrom('targets').selectAll().where(isUnfinished);
  // Sorted by SQLite, it would go by the key of the table: through all of them.
  const rows = await query.execute();
  return rows.toSorted((a, b) => (a.job < b.job ? -1 : 1)).map(targetOf);
}

async function unfinishedOf(
  database: Database,
  minion: string,
): Promise<{ job: Job; target: JobTarget }[]> {
  const targets = await database
    .selectFrom('targets')
    .selectAll()
    .where('minion', '=', minion)
    .where(isUnfinished)
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

async function setRevision(database: Database, id: string, revision: string): Promise<void> {
  await database.updateTable('jobs').set({ revision }).where('id', '=', id).execute();
}

async function cancel(database: Database, id: string, at: string): Promise<void> {
  await database
    .updateTable('jobs')
    .set({ cancelled_at: at })
    .where('id', '=', id)
    .where('cancelled_at', 'is', null)
    .execute();
}

async function cancelledOf(database: Database, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const asked = new Set(ids);
  const query = database.selectFrom('jobs').select('id').where('cancelled_at', 'is not', null);
  return (await query.execute()).map(({ id }) => id).filter((id) => asked.has(id));
}

async function withQueued(database: Database): Promise<Job[]> {
  const queued = database.selectFrom('targets').select('job').where('state', '=', 'queued');
  const query = database.selectFrom('jobs').selectAll().where('id', 'in', queued);
  return (await query.orderBy('created_at').orderBy('id').execute()).map(jobOf);
}

async function queuedOf(
  database: Database,
  job: string,
): Promise<Pick<JobTarget, 'minion' | 'expiresAt'>[]> {
  return database
    .selectFrom('targets')
    .select(['minion', 'expires_at as expiresAt'])
    .where('job', '=', job)
    .where('state', '=', 'queued')
    .orderBy('minion')
    .execute();
}

async function underWayOf(database: Database, job: string): Promise<string[]> {
  const rows = await database
    .selectFrom('targets')
    .select('minion')
    .where('job', '=', job)
    .where(isUnfinished)
    .where((is) => is.or([is('state', '!=', 'queued'), is('expires_at', 'is not', null)]))
    .execute();
  return rows.map(({ minion }) => minion);
}

async function tally(database: Database, job: string): Promise<Tally> {
  const rows = await database
    .selectFrom('targets')
    .select(['state', (of) => of.fn.countAll<number>().as('count')])
    .where('job', '=', job)
    .groupBy('state')
    .execute();
  return new Map(rows.map(({ state, count }) => [targetStateColumn(state), count]));
}

/** Runs only: what was never delivered has not taken a place. */
async function endedAfter(database: Database, job: string, then: string): Promise<number> {
  const row = await database
    .selectFrom('targets')
    .select((of) => of.fn.countAll<number>().as('count'))
    .where('job', '=', job)
    .where((is) => is.not(isUnfinished))
    .where('expires_at', 'is not', null)
    .where('updated_at', '>', then)
    .executeTakeFirstOrThrow();
  return row.count;
}

async function overdue(
  database: Database,
  now: string,
): Promise<{ target: JobTarget; why: 'expired' | 'timeout' }[]> {
  const rows = await database
    .selectFrom('targets')
    .innerJoin('jobs', 'jobs.id', 'targets.job')
    .selectAll('targets')
    .where(isUnfinished)
    .where((is) =>
      is.or([
        is('deadline', '<=', now),
        is.and([is('state', '=', 'queued'), is('expires_at', '<=', now)]),
        // Its turn has not come, or it was away, until the whole job expired.
        is.and([
          is('state', '=', 'queued'),
          is(sql<string>`jobs.rollout ->> 'expiresAt'`, '<=', now),
        ]),
      ]),
    )
    .execute();
  return rows.map((row) => ({
    target: targetOf(row),
    why: row.state === 'queued' ? 'expired' : 'timeout',
  }));
}
