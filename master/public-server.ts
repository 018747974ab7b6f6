import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import fastify, { type FastifyInstance } from 'fastify';
import { HANDSHAKE_LIMITS } from '../protocol/handshake.ts';
import { ConductorError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/log.ts';
import type { MasterConfig } from './config/master-config.ts';
import { answerErrors, requirePermissions } from './server.ts';
import type { Admission } from './sessions/admission.ts';
import { type ReceptionParts, receive } from './sessions/reception.ts';
import { acceptUpgrades } from './sessions/upgrade.ts';

interface PublicParts {
  readonly reception: ReceptionParts;
  readonly admission: Admission;
  readonly log: Logger;
  readonly tls: MasterConfig['tls'];
}

/** How long a connection may take to say that it wants a websocket. */
const PATIENCE = {
  headersTimeout: HANDSHAKE_LIMITS.upgradeMs,
  requestTimeout: HANDSHAKE_LIMITS.upgradeMs,
  connectionsCheckingInterval: 1000,
};

/** Before it is over, no other limit counts. */
const TLS_PATIENCE = { handshakeTimeout: HANDSHAKE_LIMITS.upgradeMs };

/** What the world can reach: the minion channel, and nothing else. */
export function buildPublicServer(parts: PublicParts): FastifyInstance {
  const { reception, admission, log, tls } = parts;
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: 1024,
    forceCloseConnections: true,
    connectionTimeout: HANDSHAKE_LIMITS.upgradeMs,
    serverFactory: (handler) =>
      tls === undefined
        ? createServer(PATIENCE, handler)
        : createTlsServer({ ...PATIENCE, ...TLS_PATIENCE, ...readPair(tls) }, handler),
  });
  requirePermissions(app);
  answerErrors(app, log);
  const endAll = acceptUpgrades(app.server, {
    admission,
    receive: (wire, visitor) => receive(reception, wire, visitor),
  });
  app.addHook('preClose', endAll);
  return app;
}

function readPair({ cert, key }: { cert: string; key: string }): { cert: Buffer; key: Buffer } {
  try {
    return { cert: readFileSync(cert), key: readFileSync(key) };
  } catch (cause) {
    const message = `Cannot use the TLS files: ${messageOf(cause)}`;
    throw new ConductorError('CONFIG_INVALID', message, { cause });
  }
}
