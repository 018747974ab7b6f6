import type { Selectable } from 'kysely';
import { ConductorError } from '../../../shared/errors.ts';
import type { Minion } from '../store.ts';
import { keyStateColumn, namesColumn } from './columns.ts';
import type { Database, Tables } from './database.ts';

export async function getMinion(database: Database, id: string): Promise<Minion | null> {
  const query = database.selectFrom('minions').selectAll().where('id', '=', id);
  const row = await query.executeTakeFirst();
  return row === undefined ? null : minionOf(row);
}

export async function addMinion(database: Database, minion: Minion): Promise<void> {
  const taken = await database
    .selectFrom('minions')
    .select(['id', 'state'])
    .where((is) => is.or([is('id', '=', minion.id), is('public_key', '=', minion.publicKey)]))
    .executeTakeFirst();
  if (taken !== undefined) {
    const message = `Cannot add the key of "${minion.id}": "${taken.id}" is known already (${taken.state})`;
    throw new ConductorError('KEY_STATE', message);
  }
  await database.insertInto('minions').values(rowOf(minion)).execute();
}

export function minionOf(row: Selectable<Tables['minions']>): Minion {
  return {
    id: row.id,
    publicKey: row.public_key,
    state: keyStateColumn(row.state),
    generation: row.generation,
    groups: namesColumn(row.groups),
    createdAt: row.created_at,
    acceptedAt: row.accepted_at,
    acceptedBy: row.accepted_by,
    address: row.address,
    seenAt: row.seen_at,
    version: row.version,
    nextRefresh: row.next_refresh,
  };
}

function rowOf(minion: Minion): Selectable<Tables['minions']> {
  return {
    id: minion.id,
    public_key: minion.publicKey,
    state: minion.state,
    generation: minion.generation,
    groups: JSON.stringify(minion.groups),
    created_at: minion.createdAt,
    accepted_at: minion.acceptedAt,
    accepted_by: minion.acceptedBy,
    address: minion.address,
    seen_at: minion.seenAt,
    version: minion.version,
    next_refresh: minion.nextRefresh,
    attendance: null,
  };
}
