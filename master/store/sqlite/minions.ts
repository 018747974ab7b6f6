import type { KeyChange, Minion, MinionStore, Sighting } from '../store.ts';
import { valuesColumn } from './columns.ts';
import type { Database } from './database.ts';
import { enrol } from './enrol.ts';
import { addMinion, getMinion, minionOf } from './minion-rows.ts';

export function minionStore(database: Database): MinionStore {
  return {
    async list() {
      const rows = await database.selectFrom('minions').selectAll().orderBy('id').execute();
      return rows.map(minionOf);
    },
    get: (id) => getMinion(database, id),
    add: (minion) => addMinion(database, minion),
    change: (id, change) => changeKey(database, id, change),
    remove: (id) => removeMinion(database, id),
    note: (id, sighting) => note(database, id, sighting),
    enrol: (claim, judge) => enrol(database, claim, judge),
    async removePending(createdBefore) {
      const rows = await database
        .deleteFrom('minions')
        .where('state', '=', 'pending')
        .where('created_at', '<', createdBefore)
        .returning('id')
        .execute();
      return rows.map(({ id }) => id);
    },
    ...factsStore(database),
  };
}

function factsStore(database: Database): Pick<MinionStore, 'facts' | 'allFacts' | 'setFacts'> {
  return {
    async facts(minion) {
      const row = await database
        .selectFrom('facts')
        .selectAll()
        .where('minion', '=', minion)
        .executeTakeFirst();
      return row === undefined
        ? null
        : { facts: valuesColumn(row.facts), updatedAt: row.updated_at };
    },
    async allFacts() {
      const rows = await database.selectFrom('facts').selectAll().execute();
      return new Map(rows.map((row) => [row.minion, valuesColumn(row.facts)]));
    },
    async setFacts(minion, facts, updatedAt) {
      const row = { facts: JSON.stringify(facts), updated_at: updatedAt };
      await database
        .insertInto('facts')
        .values({ minion, ...row })
        .onConflict((conflict) => conflict.column('minion').doUpdateSet(row))
        .execute();
    },
  };
}

async function changeKey(
  database: Database,
  id: string,
  { state, groups, acceptedAt, acceptedBy }: KeyChange,
): Promise<Minion | null> {
  const row = await database
    .updateTable('minions')
    .set((is) => ({
      state,
      generation: is('generation', '+', 1),
      ...(groups === undefined ? {} : { groups: JSON.stringify(groups) }),
      ...(acceptedAt === undefined ? {} : { accepted_at: acceptedAt }),
      ...(acceptedBy === undefined ? {} : { accepted_by: acceptedBy }),
    }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : minionOf(row);
}

async function removeMinion(database: Database, id: string): Promise<boolean> {
  return database.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('facts').where('minion', '=', id).execute();
    const query = transaction.deleteFrom('minions').where('id', '=', id).returning('id');
    return (await query.executeTakeFirst()) !== undefined;
  });
}

async function note(database: Database, id: string, sighting: Sighting): Promise<void> {
  const { address, seenAt, version, nextRefresh } = sighting;
  const row = {
    ...(address === undefined ? {} : { address }),
    ...(seenAt === undefined ? {} : { seen_at: seenAt }),
    ...(version === undefined ? {} : { version }),
    ...(nextRefresh === undefined ? {} : { next_refresh: nextRefresh }),
  };
  if (Object.keys(row).length === 0) return;
  await database.updateTable('minions').set(row).where('id', '=', id).execute();
}
