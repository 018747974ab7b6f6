import type { Selectable } from 'kysely';
import type { RevisionRecord, RevisionStore } from '../revision-store.ts';
import { manifestColumn } from './columns.ts';
import type { Database, Tables } from './database.ts';

export function revisionStore(database: Database): RevisionStore {
  return {
    publish: (revision) => publish(database, revision),
    async get(id) {
      const query = database.selectFrom('revisions').selectAll().where('id', '=', id);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : revisionOf(row);
    },
    async newest() {
      const query = database.selectFrom('revisions').selectAll().orderBy('number', 'desc');
      const row = await query.limit(1).executeTakeFirst();
      return row === undefined ? null : revisionOf(row);
    },
    prune: (keep) => prune(database, keep),
  };
}

async function publish(database: Database, revision: RevisionRecord): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    const last = await transaction
      .selectFrom('revisions')
      .select('number')
      .orderBy('number', 'desc')
      .limit(1)
      .executeTakeFirst();
    const row = { number: (last?.number ?? 0) + 1, published_at: revision.publishedAt };
    await transaction
      .insertInto('revisions')
      .values({ id: revision.id, manifest: JSON.stringify(revision.manifest), ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
  });
}

async function prune(database: Database, keep: number): Promise<RevisionRecord[]> {
  return database.transaction().execute(async (transaction) => {
    await transaction
      .deleteFrom('revisions')
      .where('id', 'not in', (query) =>
        query.selectFrom('revisions').select('id').orderBy('number', 'desc').limit(keep),
      )
      .where('id', 'not in', (query) =>
        query
          .selectFrom('jobs')
          .innerJoin('targets', 'targets.job', 'jobs.id')
          .select('jobs.revision')
          .where('targets.state', 'in', ['queued', 'delivered', 'running']),
      )
      .execute();
    const rows = await transaction.selectFrom('revisions').selectAll().execute();
    return rows.map(revisionOf);
  });
}

function revisionOf(row: Selectable<Tables['revisions']>): RevisionRecord {
  return { id: row.id, publishedAt: row.published_at, manifest: manifestColumn(row.manifest) };
}
