import { namesColumn } from './columns.ts';
import type { Database } from './database.ts';
import { isUnfinished } from './job-rows.ts';

/** As `JobStore` promises it. */
export async function stateFilesOpenTo(
  database: Database,
  minion: string,
  revision: string,
): Promise<ReadonlySet<string>> {
  const rows = await database
    .selectFrom('targets')
    .innerJoin('jobs', 'jobs.id', 'targets.job')
    .select('jobs.state_files')
    .where('targets.minion', '=', minion)
    // Only reports have counts.
    .where('targets.counts', 'is', null)
    .where('jobs.revision', '=', revision)
    .where((is) => is.or([isUnfinished, is('targets.expires_at', 'is not', null)]))
    .execute();
  return new Set(rows.flatMap((row) => namesColumn(row.state_files)));
}
