import { sql } from 'kysely';
import type { Database } from './database.ts';
import { isUnfinished } from './job-rows.ts';

/** When a run ended: a host whose clock is ahead does not stay with what it did under that clock. */
export const ENDED = sql`min(ended_at, received_at)`;

/**
 * What each minion there is has done last: one report at most of a run of the whole tree and one of a run of some state
 * files, whatever they say of their times.
 */
export const isNewest = sql<boolean>`rowid in
  (select newest.rowid from minions, (select 0 as is_partial union select 1) as kinds, reports as newest
  where newest.rowid =
    (select rowid from reports
    where minion = minions.id and dry_run = 0 and is_partial = kinds.is_partial
    order by ${ENDED} desc, rowid desc limit 1))`;

/** What a minion did last is known for as long as the minion is, however long ago that was. */
const isNotNewest = sql<boolean>`not ${isNewest}`;

/**
 * Beyond so many bytes go the oldest reports of the minion of which there is most, until it has no more than the next
 * one, and so on: however much one of them sends, what is known of the others stays.
 */
const isBeyond = (bytes: number) => sql<boolean>`rowid in
  (select id from
    (select id, sum(size) over (order by newer, received_at desc, id) as total from
      (select rowid as id, size, received_at,
        sum(size) over (partition by minion order by received_at desc, rowid desc) as newer
      from reports))
  where total > ${bytes})`;

/** See `ReportStore.prune`. */
export async function prune(
  database: Database,
  { receivedBefore, bytes }: { receivedBefore: string; bytes: number },
): Promise<number> {
  return database.transaction().execute(async (transaction) => {
    const old = await transaction
      .deleteFrom('reports')
      .where('received_at', '<', receivedBefore)
      .where(isNotNewest)
      .executeTakeFirst();
    const excess = await forgetExcess(transaction, bytes);
    await transaction.deleteFrom('drifts').where('last_at', '<', receivedBefore).execute();
    await forgetJobs(transaction, receivedBefore);
    return Number(old.numDeletedRows + excess);
  });
}

async function forgetExcess(database: Database, bytes: number): Promise<bigint> {
  const { total } = await database
    .selectFrom('reports')
    .select((of) => of.fn.sum<number | null>('size').as('total'))
    .executeTakeFirstOrThrow();
  // What there is of whom is asked only then: that is to look at all reports.
  if ((total ?? 0) <= bytes) return 0n;
  const query = database.deleteFrom('reports').where(isBeyond(bytes)).where(isNotNewest);
  return (await query.executeTakeFirst()).numDeletedRows;
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
            .where((is) => is.or([isUnfinished, is('updated_at', '>=', createdBefore)])),
        ),
      ),
    )
    .where('id', 'not in', (query) => query.selectFrom('reports').select('job'))
    .execute();
}
