import type { z } from 'zod';
import { createClient } from '../../master/cli/client.ts';
import type { Host } from '../hosts/host.ts';

/**
 * What the master says on its socket, as it says it to its command line. No program is started for it on the host, so
 * it costs next to nothing to ask again and again.
 */
export async function askMaster<T>(
  conductor: Host,
  path: string,
  schema: z.ZodType<T>,
): Promise<T> {
  const socket = `/proc/${conductor.leader}/root/run/conductor/master.sock`;
  return createClient(socket).get(path, schema);
}
