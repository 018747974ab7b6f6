import type { FastifyInstance } from 'fastify';
import { driftQuery } from '../api/requests.ts';
import { addRoute } from '../api/routes.ts';
import type { Caller } from '../gate.ts';
import { findMinions } from '../jobs/find-minions.ts';
import type { Services } from '../services.ts';

export function driftRoutes(app: FastifyInstance, services: Services, caller: Caller): void {
  addRoute(app, caller, {
    method: 'GET',
    url: '/drift',
    permission: 'jobs.read',
    query: driftQuery,
    handle: async ({ query: { target, since } }) => {
      const minions = target === undefined ? null : await findMinions(services, target);
      const drifts = await services.store.drifts.list({ since });
      return { drifts: drifts.filter(({ minion }) => minions?.includes(minion) ?? true) };
    },
  });
}
