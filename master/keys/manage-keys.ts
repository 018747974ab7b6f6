import { randomBytes } from 'node:crypto';
import { fromHex } from '../../protocol/bytes.ts';
import { fingerprintOf } from '../../protocol/fingerprint.ts';
import {
  formatJoinString,
  TOKEN_ID_LENGTH,
  TOKEN_SECRET_LENGTH,
} from '../../protocol/join-string.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { ConductorError } from '../../shared/errors.ts';
import { didYouMean } from '../../shared/suggest.ts';
import type { Services } from '../services.ts';
import type { Minion } from '../store/store.ts';

type KeyServices = Pick<
  Services,
  'store' | 'presence' | 'jobs' | 'backoff' | 'log' | 'now' | 'rootFingerprint' | 'address'
>;

export function fingerprintOfKey({ publicKey }: Pick<Minion, 'publicKey'>): string {
  return fingerprintOf(nodeCrypto, fromHex(publicKey));
}

/** Throws KEY_UNKNOWN, with the id that was most likely meant. */
export async function findKey({ store }: Pick<Services, 'store'>, id: string): Promise<Minion> {
  const minion = await store.minions.get(id);
  if (minion !== null) return minion;
  const ids = (await store.minions.list()).map((known) => known.id);
  const message = `Cannot find the key of "${id}": no minion has that id${didYouMean(id, ids)}`;
  throw new ConductorError('KEY_UNKNOWN', message);
}

/** Accepts the key that somebody has looked at; with groups also one that is accepted already. */
export async function acceptKey(
  services: KeyServices,
  id: string,
  { fingerprint, groups }: { fingerprint: string; groups: readonly string[] | undefined },
): Promise<Minion> {
  const { store, now } = services;
  const minion = await findKey(services, id);
  if (minion.state === 'revoked') {
    const hint = `"master keys delete ${id}" lets the minion start anew`;
    throw new ConductorError(
      'KEY_STATE',
      `Cannot accept the key of "${id}": it is revoked; ${hint}`,
    );
  }
  const real = fingerprintOfKey(minion);
  if (fingerprint !== real) {
    const message = `Cannot accept the key of "${id}": its fingerprint is ${real}, not ${fingerprint}`;
    throw new ConductorError('KEY_STATE', message);
  }
  if (minion.state === 'accepted' && groups === undefined) {
    const message = `Cannot accept the key of "${id}": it is accepted already`;
    throw new ConductorError('KEY_STATE', message);
  }
  const acceptance = { acceptedAt: now().toISOString(), acceptedBy: 'operator' };
  const isNew = minion.state !== 'accepted';
  const accepted = await store.minions.change(id, {
    publicKey: minion.publicKey,
    state: 'accepted',
    ...(groups === undefined ? {} : { groups }),
    ...(isNew ? acceptance : {}),
  });
  if (accepted === null) {
    const message = `Cannot accept the key of "${id}": it has another key by now`;
    throw new ConductorError('KEY_STATE', message);
  }
  return changed(services, id, 'renewed');
}

/** Refuses a key that waits, revokes one that is accepted: its session ends at once. */
export async function rejectKey(services: KeyServices, id: string): Promise<Minion> {
  const { state } = await findKey(services, id);
  if (state !== 'pending' && state !== 'accepted') {
    const message = `Cannot reject the key of "${id}": it is ${state} already`;
    throw new ConductorError('KEY_STATE', message);
  }
  await services.store.minions.change(id, { state: state === 'pending' ? 'rejected' : 'revoked' });
  const minion = await changed(services, id, 'revoked');
  await services.jobs.forsake(id);
  return minion;
}

/** Forgets a minion: it may come again as a stranger. */
export async function deleteKey(services: KeyServices, id: string): Promise<void> {
  const { store, presence, jobs, backoff, log } = services;
  await findKey(services, id);
  await store.minions.remove(id);
  presence.end(id, 'revoked');
  backoff.forgive(id);
  await jobs.forsake(id);
  log.info({ minion: id }, 'Key deleted');
}

/** Accepts a key before its minion has ever come. */
export async function addKey(
  services: KeyServices,
  { id, publicKey, groups }: { id: string; publicKey: string; groups: readonly string[] },
): Promise<Minion> {
  const at = services.now().toISOString();
  await services.store.minions.add({
    id,
    publicKey,
    state: 'accepted',
    generation: 1,
    groups,
    createdAt: at,
    acceptedAt: at,
    acceptedBy: 'operator',
    address: null,
    seenAt: null,
    version: null,
    nextRefresh: null,
  });
  return changed(services, id, 'renewed');
}

export interface InviteOptions {
  readonly idGlob: string;
  readonly groups: readonly string[];
  readonly expiresSeconds: number;
  readonly address: string | undefined;
}

/** A join string for one minion. Only a hash of its secret is kept. */
export async function invite(
  { store, now, rootFingerprint, address: own, backoff, log }: KeyServices,
  { idGlob, groups, expiresSeconds, address = own }: InviteOptions,
): Promise<{ joinString: string; expiresAt: string }> {
  const tokenId = randomBytes(TOKEN_ID_LENGTH);
  const secret = randomBytes(TOKEN_SECRET_LENGTH);
  const created = now();
  const expiresAt = new Date(created.getTime() + expiresSeconds * 1000).toISOString();
  await store.invitations.removeExpired(new Date(created.getTime() - 7 * 86_400_000).toISOString());
  await store.invitations.add({
    tid: tokenId.toString('hex'),
    secretHash: Buffer.from(nodeCrypto.sha256(secret)).toString('hex'),
    idGlob,
    groups,
    createdAt: created.toISOString(),
    expiresAt,
    usedBy: null,
  });
  backoff.forgive(idGlob);
  log.info({ tid: tokenId.toString('hex'), idGlob, groups, expiresAt }, 'Invitation made');
  const joinString = formatJoinString({ tokenId, secret, address, rootFingerprint });
  return { joinString, expiresAt };
}

async function changed(
  services: KeyServices,
  id: string,
  reason: 'renewed' | 'revoked',
): Promise<Minion> {
  services.presence.end(id, reason);
  services.backoff.forgive(id);
  const minion = await findKey(services, id);
  const { state, groups } = minion;
  services.log.info({ minion: id, state, groups }, 'Key changed');
  return minion;
}
