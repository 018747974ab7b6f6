import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { RequestListener } from 'node:http';
import { z } from 'zod';
import { createClient } from '../../../master/cli/client.ts';

/** A daemon's socket, for as long as the test. */
async function listen(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'conductor-client-'));
  const server = createServer(listener);
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });
  const path = join(directory, 'socket');
  await new Promise<void>((resolve) => server.listen({ path }, resolve));
  return path;
}

test('a master that takes a connection and says nothing is given up, and that is told', async (t) => {
  const socket = await listen(t, () => undefined);
  const error = await t.throwsAsync(createClient(socket, 50).get('/status', z.unknown()));
  t.like(error, { code: 'MASTER_UNREACHABLE' });
  t.is(
    error.message,
    `Cannot reach the master at "${socket}": it has not answered for 0.05 s; what was asked for may be done all the same`,
  );
});

test('an answer that has begun may take its time', async (t) => {
  const socket = await listen(t, (_, answer) => {
    answer.writeHead(200);
    answer.write('{"a":');
    setTimeout(() => answer.end('1}'), 4_000);
  });
  const client = createClient(socket, 3_000);
  t.deepEqual(await client.get('/status', z.object({ a: z.number() })), { a: 1 });
});
