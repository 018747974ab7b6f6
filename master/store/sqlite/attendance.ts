import { sql } from 'kysely';
import type { AttendanceStore } from '../attendance-store.ts';
import type { Database } from './database.ts';
import type { Commit } from './group-commit.ts';

export function attendanceStore(database: Database, commit: Commit): AttendanceStore {
  return {
    async alive(at) {
      await commit((unit) => unit.replaceInto('life').values({ id: 1, alive_at: at }).execute());
    },
    async left() {
      const query = database.selectFrom('minions').select('id').where('attendance', 'is not', null);
      return (await query.execute()).map(({ id }) => id);
    },
    async takeOver() {
      const seenAt = sql<string>`max(seen_at, coalesce((select alive_at from life), seen_at))`;
      await commit((unit) =>
        unit
          .updateTable('minions')
          .where('attendance', '=', 'connected')
          .set({ attendance: 'awaited', seen_at: seenAt })
          .execute(),
      );
    },
    async awaitNoMore() {
      await commit((unit) =>
        unit
          .updateTable('minions')
          .where('attendance', '=', 'awaited')
          .set({ attendance: null })
          .execute(),
      );
    },
  };
}
