import type { KeyChange, Minion, MinionStore, Sighting } from '../store.ts';
import { valuesColumn } from './columns.ts';
import type { Database } from './database.ts';
import { enrol, recognise } from './enrol.ts';
import type { Commit } from './group-commit.ts';
import { addMinion, getMinion, minionOf } from './minion-rows.ts';

export function minionStore(database: Database, commit: Commit): MinionStore {
  return {
    async list() {
      const rows = await database.selectFrom('minions').selectAll().orderBy('id').execute();
      return rows.map(minionOf);
    },
    get: (id) => getMinion(database, id),
    add: (minion) => commit((unit) => addMinion(unit, minion)),
    change: (id, change) => commit((unit) => changeKey(unit, id, change)),
    remove: (id) => commit((unit) => removeMinion(unit, id)),
    note: (id, sighting) => commit((unit) => note(unit, id, sighting)),
    enrol: async (claim, judge) =>
      (await recognise(database, claim, judge)) ??
      (await commit((unit) => enrol(unit, claim, judge))),
    async removePending(createdBefore) {
      const rows = await commit((unit) =>
        unit
          .deleteFrom('minions')
          .where('state', '=', 'pending')
          .where('created_at', '<', createdBefore)
          .returning('id')
          .execute(),
      );
      return rows.map(({ id }) => id);
    },
    ...factsStore(database, commit),
  };
}

function factsStore(
  database: Database,
  commit: Commit,
): Pick<MinionStore, 'facts' | 'allFacts' | 'setFacts'> {
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
      await commit((unit) =>
        unit
          .insertInto('facts')
          .values({ minion, ...row })
          .onConflict((conflict) => conflict.column('minion').doUpdateSet(row))
          .execute(),
      );
    },
  };
}

async function changeKey(
  database: Database,
  id: string,
  { publicKey, state, groups, acceptedAt, acceptedBy }: KeyChange,
): Promise<Minion | null> {
  const query = database.updateTable('minions').where('id', '=', id);
  const row = await (publicKey === undefined ? query : query.where('public_key', '=', publicKey))
    .set((is) => ({
      state,
      generation: is('generation', '+', 1),
      ...(groups === undefined ? {} : { groups: JSON.stringify(groups) }),
      ...(acceptedAt === undefined ? {} : { accepted_at: acceptedAt }),
      ...(acceptedBy === undefined ? {} : { accepted_by: acceptedBy }),
    }))
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : minionOf(row);
}

async function removeMinion(database: Database, id: string): Promise<boolean> {
  await database.deleteFrom('facts').where('minion', '=', id).execute();
  await database.deleteFrom('intentions').where('minion', '=', id).execute();
  const query = database.deleteFrom('minions').where('id', '=', id).returning('id');
  return (await query.executeTakeFirst()) !== undefined;
}

async function note(database: Database, id: string, sighting: Sighting): Promise<void> {
  const { address, seenAt, version, nextRefresh, isConnected } = sighting;
  const row = {
    ...(address === undefined ? {} : { address }),
    ...(seenAt === undefined ? {} : { seen_at: seenAt }),
    ...(version === undefined ? {} : { version }),
    ...(nextRefresh === undefined ? {} : { next_refresh: nextRefresh }),
    ...(isConnected === undefined ? {} : { attendance: isConnected ? 'connected' : null }),
  };
  if (Object.keys(row).length === 0) return;
  await database.updateTable('minions').set(row).where('id', '=', id).execute();
}
