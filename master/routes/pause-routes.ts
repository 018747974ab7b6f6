import type { FastifyInstance } from 'fastify';
import { pauseRequest, resumeRequest } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { Caller } from '../gate.ts';
import { findMinions } from '../jobs/find-minions.ts';
import type { Services } from '../services.ts';

export function pauseRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  const { pauses, log } = services;
  const permission = 'minions.pause';
  addRoute(app, caller, {
    method: 'POST',
    url: '/pause',
    permission,
    body: pauseRequest,
    handle: async ({ body: { target, seconds, why } }) => {
      const minions = await findMinions(services, target);
      log.warn({ target, minions: minions.length, seconds, why }, 'Minions paused');
      return { minions: await pauses.pause(minions, { seconds, why }) };
    },
  });
  addRoute(app, caller, {
    method: 'POST',
    url: '/resume',
    permission,
    body: resumeRequest,
    handle: async ({ body: { target } }) => {
      const minions = await findMinions(services, target);
      log.info({ target, minions: minions.length }, 'Minions resumed');
      return { minions: await pauses.resume(minions) };
    },
  });
}
