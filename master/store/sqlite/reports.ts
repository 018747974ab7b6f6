import { type Selectable, sql } from 'kysely';
import type { Report } from '../../../protocol/report.ts';
import type { Job, ReportStore, ReportSummary } from '../store.ts';
import { causeColumn, countsColumn, reportColumn, statusColumn } from './columns.ts';
import { noteDrift } from './drifts.ts';
import type { Database, Tables } from './database.ts';
import type { Commit } from './group-commit.ts';
import { UNFINISHED } from './job-rows.ts';

export function reportStore(database: Database, commit: Commit): ReportStore {
  return {
    add: (report, receivedAt) => commit((unit) => add(unit, report, receivedAt)),
    async get(job, minion) {
      const row = await database
        .selectFrom('reports')
        .select('body')
        .where('job', '=', job)
        .where('minion', '=', minion)
        .executeTakeFirst();
      return row === undefined ? null : reportColumn(row.body);
    },
    withoutJob: (asked) => withoutJob(database, asked),
    usualMilliseconds: (minion, like) => usualMilliseconds(database, minion, like),
    latest: () => latest(database),
    prune: (limits) => prune(database, limits),
  };
}

async function add(database: Database, report: Report, receivedAt: string): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await database
    .insertInto('reports')
    .values(rowOf(report, receivedAt))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) return false;
  const { error } = report;
  const told = error === undefined ? null : { code: error.code, message: error.message };
  // Whatever the master has inferred before: what a minion says of its own run is truer.
  await database
    .updateTable('targets')
    .set({
      state: report.status,
      updated_at: receivedAt,
      counts: JSON.stringify(report.counts),
      error: told === null ? null : JSON.stringify(told),
    })
    .where('job', '=', report.job)
    .where('minion', '=', report.minion)
    .execute();
  await noteDrift(database, report, receivedAt);
  return true;
}

function rowOf(report: Report, receivedAt: string): Tables['reports'] {
  const body = JSON.stringify(report);
  return {
    job: report.job,
    minion: report.minion,
    cause: report.cause,
    status: report.status,
    dry_run: report.dryRun ? 1 : 0,
    revision: report.revision,
    started_at: report.startedAt,
    ended_at: report.endedAt,
    received_at: receivedAt,
    counts: JSON.stringify(report.counts),
    owed: report.owed.length,
    size: Buffer.byteLength(body),
    body,
  };
}

type SummaryRow = Omit<Selectable<Tables['reports']>, 'body' | 'size' | 'received_at'>;

const SUMMARY = [
  'job',
  'minion',
  'cause',
  'status',
  'dry_run',
  'revision',
  'started_at',
  'ended_at',
  'counts',
  'owed',
] as const;

async function withoutJob(
  database: Database,
  asked: Parameters<ReportStore['withoutJob']>[0],
): Promise<ReportSummary[]> {
  const { limit, prefix = '', since = '', before, cause, minions, states } = asked;
  let query = database
    .selectFrom('reports')
    .select(SUMMARY)
    .where('job', 'not in', (jobs) => jobs.selectFrom('jobs').select('id'))
    // Ids are hex digits and dashes: all that begin so lie between these.
    .where('job', '>=', prefix)
    .where('job', '<', `${prefix}~`)
    .where('started_at', '>=', since);
  if (before !== undefined)
    query = query.where(sql<boolean>`(started_at, job) < (${before.at}, ${before.id})`);
  if (cause !== undefined) query = query.where('cause', '=', cause);
  if (minions !== undefined) query = query.where('minion', 'in', minions);
  if (states !== undefined) query = query.where('status', 'in', states);
  query = query.orderBy('started_at', 'desc').orderBy('job', 'desc');
  return (await query.limit(limit).execute()).map(summaryOf);
}

/** When a run ended: a host whose clock is ahead does not stay with what it did under that clock. */
const AT = sql`min(ended_at, received_at)`;

const RECENT = 5;

async function usualMilliseconds(
  database: Database,
  minion: string,
  { dryRun, stateFiles }: Pick<Job, 'dryRun' | 'stateFiles'>,
): Promise<number | null> {
  const rows = await database
    .selectFrom('reports')
    .leftJoin('jobs', 'jobs.id', 'reports.job')
    .select(['started_at', 'ended_at'])
    .where('minion', '=', minion)
    .where('reports.dry_run', '=', dryRun ? 1 : 0)
    .where('status', 'in', ['ok', 'changed'])
    .where(sql<string>`coalesce(jobs.state_files, '[]')`, '=', JSON.stringify(stateFiles))
    .orderBy(AT, 'desc')
    .limit(RECENT)
    .execute();
  const took = rows.map((row) => Date.parse(row.ended_at) - Date.parse(row.started_at));
  return took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)] ?? null;
}

async function latest(database: Database): Promise<ReadonlyMap<string, ReportSummary>> {
  const rows = await database
    .selectFrom('reports')
    .select(SUMMARY)
    .where('dry_run', '=', 0)
    .where(
      sql<boolean>`(minion, ${AT}) in
        (select minion, max(${AT}) from reports where dry_run = 0 group by minion)`,
    )
    .orderBy('job')
    .execute();
  return new Map(rows.map((row) => [row.minion, summaryOf(row)]));
}

function summaryOf(row: SummaryRow): ReportSummary {
  return {
    job: row.job,
    minion: row.minion,
    cause: causeColumn(row.cause),
    status: statusColumn(row.status),
    dryRun: row.dry_run === 1,
    revision: row.revision,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    counts: countsColumn(row.counts),
    owed: row.owed,
  };
}

/** What a minion did last is known for as long as the minion is, however long ago that was. */
const isNotNewest = sql<boolean>`(minion, ${AT}) not in
  (select minion, max(${AT}) from reports where dry_run = 0 group by minion)`;

async function prune(
  database: Database,
  { receivedBefore, bytes }: { receivedBefore: string; bytes: number },
): Promise<number> {
  return database.transaction().execute(async (transaction) => {
    const old = await transaction
      .deleteFrom('reports')
      .where('received_at', '<', receivedBefore)
      .where(isNotNewest)
      .executeTakeFirst();
    const excess = await transaction
      .deleteFrom('reports')
      .where(
        sql<boolean>`(job, minion) in (select job, minion from (
          select job, minion, sum(size) over (order by received_at desc, job, minion) as newer
          from reports) where newer > ${bytes})`,
      )
      .where(isNotNewest)
      .executeTakeFirst();
    await transaction.deleteFrom('drifts').where('last_at', '<', receivedBefore).execute();
    await forgetJobs(transaction, receivedBefore);
    return Number(old.numDeletedRows + excess.numDeletedRows);
  });
}

/** Jobs that have ended, of which no report is left. */
async function forgetJobs(database: Database, createdBefore: string): Promise<void> {
  await database
    .deleteFrom('jobs')
    .where('created_at', '<', createdBefore)
    .where((job) =>
      job.not(
        job.exists(
          job
            .selectFrom('targets')
            .select('targets.job')
            .whereRef('targets.job', '=', 'jobs.id')
            .where((is) =>
              is.or([is('state', 'in', UNFINISHED), is('updated_at', '>=', createdBefore)]),
            ),
        ),
      ),
    )
    .where('id', 'not in', (query) => query.selectFrom('reports').select('job'))
    .execute();
}
