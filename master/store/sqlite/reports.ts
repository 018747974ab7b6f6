import { type Insertable, type Selectable, sql } from 'kysely';
import type { Report } from '../../../protocol/report.ts';
import type { Job, LatestRuns, ReportStore, ReportSummary } from '../store.ts';
import { causeColumn, countsColumn, namesColumn, reportColumn, statusColumn } from './columns.ts';
import { noteDrift } from './drifts.ts';
import type { Database, Tables } from './database.ts';
import type { Commit } from './group-commit.ts';
import { ENDED, isNewest, prune } from './prune.ts';

export function reportStore(database: Database, commit: Commit): ReportStore {
  let bytesAdded = 0;
  return {
    async add(report, receivedAt) {
      const row = rowOf(report, receivedAt);
      const isNew = await commit((unit) => add(unit, report, row));
      if (isNew) bytesAdded += row.size;
      return isNew;
    },
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
    bytesAdded: () => bytesAdded,
    prune(limits) {
      bytesAdded = 0;
      return prune(database, limits);
    },
  };
}

async function add(database: Database, report: Report, row: ReportRow): Promise<boolean> {
  const receivedAt = row.received_at;
  const { numInsertedOrUpdatedRows } = await database
    .insertInto('reports')
    .values(row)
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

type ReportRow = Insertable<Tables['reports']>;

function rowOf(report: Report, receivedAt: string): ReportRow {
  const body = JSON.stringify(report);
  return {
    job: report.job,
    minion: report.minion,
    cause: report.cause,
    status: report.status,
    dry_run: report.dryRun ? 1 : 0,
    state_files: JSON.stringify(report.stateFiles ?? []),
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

const SUMMARY = [
  'job',
  'minion',
  'cause',
  'status',
  'dry_run',
  'state_files',
  'revision',
  'started_at',
  'ended_at',
  'counts',
  'owed',
] as const;

type SummaryRow = Pick<Selectable<Tables['reports']>, (typeof SUMMARY)[number]>;

async function withoutJob(
  database: Database,
  asked: Parameters<ReportStore['withoutJob']>[0],
): Promise<ReportSummary[]> {
  const { limit, prefix, since = '', before, cause, minions, states } = asked;
  let query = database
    .selectFrom('reports')
    .select(SUMMARY)
    .where('job', 'not in', (jobs) => jobs.selectFrom('jobs').select('id'))
    .where('started_at', '>=', since);
  // Ids are hex digits and dashes: all that begin so lie between these.
  if (prefix !== undefined)
    query = query.where('job', '>=', prefix).where('job', '<', `${prefix}~`);
  if (before !== undefined)
    query = query.where(sql<boolean>`(started_at, job) < (${before.at}, ${before.id})`);
  if (cause !== undefined) query = query.where('cause', '=', cause);
  if (minions !== undefined) query = query.where('minion', 'in', minions);
  if (states !== undefined) query = query.where('status', 'in', states);
  query = query.orderBy('started_at', 'desc').orderBy('job', 'desc');
  return (await query.limit(limit).execute()).map(summaryOf);
}

const RECENT = 5;

async function usualMilliseconds(
  database: Database,
  minion: string,
  { dryRun, stateFiles }: Pick<Job, 'dryRun' | 'stateFiles'>,
): Promise<number | null> {
  const rows = await database
    .selectFrom('reports')
    .select(['started_at', 'ended_at'])
    .where('minion', '=', minion)
    // Those that began on the host itself may have applied any tree.
    .where('cause', '!=', 'local')
    .where('dry_run', '=', dryRun ? 1 : 0)
    .where('is_partial', '=', stateFiles.length === 0 ? 0 : 1)
    .where('state_files', '=', JSON.stringify(stateFiles))
    .where('status', 'in', ['ok', 'changed'])
    .orderBy(ENDED, 'desc')
    .limit(RECENT)
    .execute();
  const took = rows.map((row) => Date.parse(row.ended_at) - Date.parse(row.started_at));
  return took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)] ?? null;
}

async function latest(database: Database): Promise<ReadonlyMap<string, LatestRuns>> {
  const query = database.selectFrom('reports').select(SUMMARY).where(isNewest);
  const rows = await query
    .orderBy(ENDED)
    .orderBy(sql`rowid`)
    .execute();
  const runs = new Map<string, LatestRuns>();
  for (const run of rows.map(summaryOf)) {
    const whole = runs.get(run.minion)?.whole ?? null;
    const isWhole = run.stateFiles.length === 0;
    runs.set(run.minion, isWhole ? { whole: run, partial: null } : { whole, partial: run });
  }
  return runs;
}

function summaryOf(row: SummaryRow): ReportSummary {
  return {
    job: row.job,
    minion: row.minion,
    cause: causeColumn(row.cause),
    status: statusColumn(row.status),
    dryRun: row.dry_run === 1,
    stateFiles: namesColumn(row.state_files),
    revision: row.revision,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    counts: countsColumn(row.counts),
    owed: row.owed,
  };
}
