import type { FastifyInstance } from 'fastify';
import type { KeyAnswer } from '../api/answers.ts';
import { acceptRequest, addKeyRequest, emptyRequest, inviteRequest } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { Caller } from '../gate.ts';
import {
  acceptKey,
  addKey,
  deleteKey,
  findKey,
  fingerprintOfKey,
  invite,
  rejectKey,
} from '../keys/manage-keys.ts';
import { oddGroups } from '../keys/unknown-groups.ts';
import type { Services } from '../services.ts';
import type { Minion } from '../store/store.ts';

export function keyRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  readingRoutes(app, services, caller);
  verdictRoutes(app, services, caller);
  const permission = 'keys.write';
  addRoute(app, caller, {
    method: 'POST',
    url: '/keys',
    permission,
    body: addKeyRequest,
    handle: async ({ body }) => withWarnings(services, await addKey(services, body), body.groups),
  });
  addRoute(app, caller, {
    method: 'POST',
    url: '/invitations',
    permission,
    body: inviteRequest,
    handle: async ({ body: { idGlob, groups, expiresSeconds, address } }) => {
      const options = { idGlob, groups, expiresSeconds, address };
      const warnings = await oddGroups(services, null, groups);
      return { ...(await invite(services, options)), idGlob, groups, warnings };
    },
  });
}

function verdictRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const permission = 'keys.write';
  addRoute(app, caller, {
    method: 'POST',
    url: '/keys/:id/accept',
    permission,
    body: acceptRequest,
    handle: async ({ body: { fingerprint, groups }, parameters: { id = '' } }) =>
      withWarnings(services, await acceptKey(services, id, { fingerprint, groups }), groups),
  });
  addRoute(app, caller, {
    method: 'POST',
    url: '/keys/:id/reject',
    permission,
    body: emptyRequest,
    handle: async ({ parameters: { id = '' } }) => answer(await rejectKey(services, id)),
  });
  addRoute(app, caller, {
    method: 'DELETE',
    url: '/keys/:id',
    permission,
    handle: async ({ parameters: { id = '' } }) => {
      await deleteKey(services, id);
      return {};
    },
  });
}

function readingRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const permission = 'keys.read';
  addRoute(app, caller, {
    method: 'GET',
    url: '/keys',
    permission,
    handle: async () => ({ keys: (await services.store.minions.list()).map(answer) }),
  });
  addRoute(app, caller, {
    method: 'GET',
    url: '/keys/:id',
    permission,
    handle: async ({ parameters: { id = '' } }) => answer(await findKey(services, id)),
  });
}

async function withWarnings(services: Services, minion: Minion, groups: readonly string[] = []) {
  return { ...answer(minion), warnings: await oddGroups(services, minion.id, groups) };
}

function answer(minion: Minion): KeyAnswer {
  const { id, state, groups, createdAt, acceptedAt, acceptedBy, address } = minion;
  const fingerprint = fingerprintOfKey(minion);
  return {
    id,
    state,
    fingerprint,
    groups: [...groups],
    createdAt,
    acceptedAt,
    acceptedBy,
    address,
  };
}
