import fastify, { type FastifyInstance } from 'fastify';
import { ConductorError, type ErrorCode } from '../shared/errors.ts';
import type { Logger } from '../shared/log.ts';
import { OPERATOR, type Caller } from './gate.ts';
import { driftRoutes } from './routes/drift-routes.ts';
import { jobRoutes } from './routes/job-routes.ts';
import { keyRoutes } from './routes/key-routes.ts';
import { minionRoutes } from './routes/minion-routes.ts';
import { pauseRoutes } from './routes/pause-routes.ts';
import { statusRoutes } from './routes/status-routes.ts';
import type { Services } from './services.ts';

const BODY_BYTES = 1024 * 1024;
/** Of the id of a minion or a job in a path: longer than any that there is. */
const LONGEST_PARAMETER = 512;

const HTTP_STATUS: Partial<Record<ErrorCode, number>> = {
  PERMISSION_DENIED: 403,
  KEY_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  NOT_FOUND: 404,
  KEY_STATE: 409,
  MINION_PAUSED: 409,
  REVISION_UNKNOWN: 409,
  TREE_INVALID: 422,
  HOST_FILE_FAILED: 507,
};

/** The socket of the command line. Building is not listening. */
export function buildServer(services: Services, caller: Caller = OPERATOR): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    // Whoever follows a job would otherwise keep a master from stopping.
    forceCloseConnections: true,
  });
  requirePermissions(app);
  answerErrors(app, services.log);
  const routes = [statusRoutes, minionRoutes, pauseRoutes, keyRoutes, jobRoutes, driftRoutes];
  for (const add of routes) add(app, services, caller);
  return app;
}

/** A route that forgets its permission stops the start, not the first caller. */
export function requirePermissions(app: FastifyInstance): void {
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.permission === undefined)
      throw new Error(`the route ${String(method)} ${url} declares no permission`);
  });
}

export function answerErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const { method, url } = request;
    if (error instanceof ConductorError) {
      const { code, message, details } = error;
      log.info({ method, url, code, problem: message }, 'Request refused');
      return reply.status(HTTP_STATUS[code] ?? 400).send({ code, message, details });
    }
    const status = statusCodeOf(error);
    if (status < 500) {
      const message = error instanceof Error ? error.message : 'the request is malformed';
      return reply.status(status).send({ code: 'USAGE', message: `Cannot do this: ${message}` });
    }
    log.error({ method, url, error }, 'Request failed');
    return reply.status(500).send({ code: 'INTERNAL', message: 'The master failed; see its log' });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.status(404).send({
      code: 'NOT_FOUND',
      message: `Cannot ${request.method} "${request.url}": there is no such thing`,
    }),
  );
}

function statusCodeOf(error: unknown): number {
  const hasCode = error instanceof Error && 'statusCode' in error;
  return hasCode && typeof error.statusCode === 'number' ? error.statusCode : 500;
}
