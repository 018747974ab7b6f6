import type { Claim, Enrolment, Invitation, Judgement, Known, Minion } from '../store.ts';
import { namesColumn } from './columns.ts';
import type { Database } from './database.ts';
import { addMinion, getMinion } from './minion-rows.ts';

/**
 * The verdict on a minion that is accepted already and comes with its own key, for which nothing is written and nobody
 * else counts: all minions of a master that was away come at once. `null` of any other.
 */
export async function recognise(
  database: Database,
  claim: Claim,
  judge: (known: Known) => Judgement,
): Promise<Enrolment | null> {
  const minion = await getMinion(database, claim.id);
  if (minion?.state !== 'accepted' || minion.publicKey !== claim.publicKey) return null;
  const alone = { isForeignKey: false, invitation: null, pendingKeys: 0, pendingKeysAtAddress: 0 };
  return { judgement: judge({ minion, ...alone }), minion };
}

/** To be run as one unit, so that two claims can neither use one invitation nor take one id. */
export async function enrol(
  database: Database,
  claim: Claim,
  judge: (known: Known) => Judgement,
): Promise<Enrolment> {
  const known = await knownAbout(database, claim);
  const judgement = judge(known);
  await write(database, claim, { judgement, known });
  return { judgement, minion: await getMinion(database, claim.id) };
}

async function knownAbout(database: Database, claim: Claim): Promise<Known> {
  const owner = await database
    .selectFrom('minions')
    .select('id')
    .where('public_key', '=', claim.publicKey)
    .executeTakeFirst();
  const pending = await database
    .selectFrom('minions')
    .select('address')
    .where('state', '=', 'pending')
    .execute();
  return {
    minion: await getMinion(database, claim.id),
    isForeignKey: owner !== undefined && owner.id !== claim.id,
    invitation: claim.invitation === null ? null : await getInvitation(database, claim.invitation),
    pendingKeys: pending.length,
    pendingKeysAtAddress: pending.filter(({ address }) => address === claim.address).length,
  };
}

async function write(
  database: Database,
  claim: Claim,
  { judgement, known }: { judgement: Judgement; known: Known },
): Promise<void> {
  if (judgement.write === 'insert-pending') await addMinion(database, newMinion(claim));
  if (judgement.write !== 'consume-invitation' || known.invitation === null) return;
  const { tid, groups } = known.invitation;
  await database
    .updateTable('invitations')
    .set({ used_by: claim.id })
    .where('tid', '=', tid)
    .execute();
  if (known.minion !== null)
    await database.deleteFrom('minions').where('id', '=', claim.id).execute();
  await addMinion(database, {
    ...newMinion(claim),
    state: 'accepted',
    generation: (known.minion?.generation ?? 0) + 1,
    groups,
    acceptedAt: claim.at,
    acceptedBy: `invitation ${tid}`,
  });
}

function newMinion({ id, publicKey, address, at }: Claim): Minion {
  return {
    id,
    publicKey,
    state: 'pending',
    generation: 1,
    groups: [],
    createdAt: at,
    acceptedAt: null,
    acceptedBy: null,
    address,
    seenAt: at,
    version: null,
    nextRefresh: null,
  };
}

export async function getInvitation(database: Database, tid: string): Promise<Invitation | null> {
  const query = database.selectFrom('invitations').selectAll().where('tid', '=', tid);
  const row = await query.executeTakeFirst();
  if (row === undefined) return null;
  return {
    tid: row.tid,
    secretHash: row.secret_hash,
    idGlob: row.id_glob,
    groups: namesColumn(row.groups),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    usedBy: row.used_by,
  };
}
