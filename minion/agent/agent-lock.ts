import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { ConductorError, systemCode } from '../../shared/errors.ts';

/**
 * One agent at a time on a state directory: a name in the kernel, which goes when the process does,
 * however that ends. Throws STATE_DIRECTORY_HELD.
 */
export function holdStateDirectory(stateDirectory: string): Promise<Server> {
  const name = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const isHeld = systemCode(cause) === 'EADDRINUSE';
      const message = `Cannot use "${stateDirectory}": another agent is at work on it`;
      reject(isHeld ? new ConductorError('STATE_DIRECTORY_HELD', message, { cause }) : cause);
    });
    server.listen(`\0conductor-agent-${name}`, () => resolve(server));
  });
}
