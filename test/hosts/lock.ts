import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 50;

/**
 * Runs `body` while no other process (or other caller in this one) runs one under the same name. The lock is an
 * abstract socket: the kernel gives it back when its holder dies, however it dies. `onWait` is called once if it is taken.
 */
export async function withLock<T>(
  name: string,
  body: () => Promise<T>,
  onWait?: () => void,
): Promise<T> {
  const path = `\0conductor-test-hosts/${name}`;
  let holder = await tryListen(path);
  if (holder === null) onWait?.();
  while (holder === null) {
    await sleep(RETRY_MS);
    holder = await tryListen(path);
  }
  try {
    return await body();
  } finally {
    await closed(holder);
  }
}

async function tryListen(path: string): Promise<Server | null> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path }, () => resolve(server));
  });
}

async function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
