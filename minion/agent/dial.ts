import { WebSocket } from 'ws';
import { HANDSHAKE_LIMITS, WEBSOCKET_LIMITS } from '../../protocol/handshake.ts';
import { wireOf } from '../../protocol/websocket-wire.ts';
import type { Wire } from '../../protocol/wire.ts';
import { ConductorError } from '../../shared/errors.ts';

/** `host:port` and `wss://host:port` as the address of the minion channel. */
export function channelUrl(master: string): string {
  return `${/^wss?:\/\//u.test(master) ? master : `ws://${master}`}/minion`;
}

/** Opens a connection; the name is looked up anew each time. Throws MASTER_UNREACHABLE. */
export function dial(master: string, authority: Buffer | null): Promise<Wire> {
  const url = channelUrl(master);
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      ...WEBSOCKET_LIMITS,
      handshakeTimeout: HANDSHAKE_LIMITS.upgradeMs,
      followRedirects: false,
      ...(authority === null ? {} : { ca: authority }),
    });
    const failed = (cause: Error): void => {
      const message = `Cannot reach the master at "${url}": ${reasonOf(cause)}`;
      reject(new ConductorError('MASTER_UNREACHABLE', message, { cause }));
    };
    socket.once('error', failed);
    socket.once('open', () => {
      const wire = wireOf(socket);
      socket.off('error', failed);
      resolve(wire);
    });
  });
}

/** A name with several addresses fails with one error for each, and no words of its own. */
function reasonOf(error: Error): string {
  if (!(error instanceof AggregateError)) return error.message;
  const reasons: readonly unknown[] = error.errors;
  return reasons.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
}
