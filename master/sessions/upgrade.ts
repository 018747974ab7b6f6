import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { HANDSHAKE_LIMITS, WEBSOCKET_LIMITS } from '../../protocol/handshake.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import type { Wire } from '../../protocol/wire.ts';
import type { Admission } from './admission.ts';
import type { Visitor } from './reception.ts';

const MINION_PATH = '/minion';

interface UpgradeParts {
  readonly admission: Admission;
  /** Never rejects. */
  readonly receive: (wire: Wire, visitor: Visitor) => Promise<void>;
}

/**
 * Takes websockets at `/minion`, and nothing else that wants to be upgraded. Gives the end of all
 * of them, in whatever state they are: it waits until what follows from that is written down.
 */
export function acceptUpgrades(
  server: Server,
  { admission, receive }: UpgradeParts,
): () => Promise<void> {
  const visits = new Set<Promise<void>>();
  const websockets = new WebSocketServer({ noServer: true, ...WEBSOCKET_LIMITS });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const address = request.socket.remoteAddress ?? 'unknown';
    if (request.url !== MINION_PATH) return refuse(socket, '404 Not Found');
    const leave = admission.enter(address);
    if (leave === null) return refuse(socket, '503 Service Unavailable');
    let isCounted = true;
    const done = () => {
      if (isCounted) leave();
      isCounted = false;
    };
    socket.once('close', done);
    websockets.handleUpgrade(request, socket, head, (websocket) => {
      const visit = receive(wireOf(websocket), { address, known: done }).finally(() => {
        visits.delete(visit);
        // A peer that does not take its part in closing must not keep the connection.
        setTimeout(() => websocket.terminate(), HANDSHAKE_LIMITS.closeMs).unref();
      });
      visits.add(visit);
    });
  });
  return async () => {
    for (const websocket of websockets.clients) websocket.terminate();
    await Promise.all(visits);
  };
}

function refuse(socket: Duplex, status: string): void {
  socket.once('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
