import type { Selectable } from 'kysely';
import { z } from 'zod';
import { pauseSchema } from '../../../protocol/pause.ts';
import type { Intention, IntentionStore, OwedPause } from '../intention-store.ts';
import { column, orNull } from './columns.ts';
import type { Database, Tables } from './database.ts';
import type { Commit } from './group-commit.ts';

const pauseColumn = column(pauseSchema);
const owedColumn = column(
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('pause'),
      since: z.string(),
      until: z.string(),
      why: z.string(),
    }),
    z.strictObject({ kind: z.literal('resume') }),
  ]),
);

export function intentionStore(database: Database, commit: Commit): IntentionStore {
  return {
    async get(minion) {
      const query = database.selectFrom('intentions').selectAll().where('minion', '=', minion);
      const row = await query.executeTakeFirst();
      return row === undefined ? null : intentionOf(row);
    },
    async all() {
      const rows = await database.selectFrom('intentions').selectAll().execute();
      return new Map(rows.map((row) => [row.minion, intentionOf(row)]));
    },
    async note(minion, change) {
      const row = changedColumns(change);
      const first = { minion, schedule_source: null, pause: null, owed: null, ...row };
      await commit((unit) => {
        const insert = unit.insertInto('intentions').values(first);
        const known = insert.onConflict((conflict) =>
          Object.keys(row).length === 0
            ? conflict.column('minion').doNothing()
            : conflict.column('minion').doUpdateSet(row),
        );
        return known.execute();
      });
    },
    settle: (minion, owed) => commit((unit) => settle(unit, minion, owed)),
  };
}

async function settle(database: Database, minion: string, owed: OwedPause): Promise<boolean> {
  const query = database.selectFrom('intentions').select('owed').where('minion', '=', minion);
  const text = (await query.executeTakeFirst())?.owed ?? null;
  if (JSON.stringify(orNull(owedColumn, text)) !== JSON.stringify(owed)) return false;
  await database
    .updateTable('intentions')
    .set({ owed: null })
    .where('minion', '=', minion)
    .execute();
  return true;
}

function intentionOf(row: Selectable<Tables['intentions']>): Intention {
  return {
    scheduleSource: row.schedule_source,
    pause: orNull(pauseColumn, row.pause),
    owed: orNull(owedColumn, row.owed),
  };
}

function changedColumns({ scheduleSource, pause, owed }: Partial<Intention>) {
  return {
    ...(scheduleSource === undefined ? {} : { schedule_source: scheduleSource }),
    ...(pause === undefined ? {} : { pause: textOrNull(pause) }),
    ...(owed === undefined ? {} : { owed: textOrNull(owed) }),
  };
}

function textOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
