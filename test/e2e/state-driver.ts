import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { converge } from '../../minion/engine/converge.ts';
import { createRealHost } from '../../minion/host/real-host.ts';
import { openRegistry } from '../../minion/host/registry.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { ConductorError } from '../../shared/errors.ts';
import { createLogger } from '../../shared/log.ts';

/**
 * Runs on a test host: converges the one state that comes in on standard input, with the real engine on the real
 * host, and prints what it took as JSON.
 */
const order = z.strictObject({
  type: z.string(),
  args: z.unknown(),
  dryRun: z.boolean(),
  notified: z.boolean(),
  ports: z.record(z.string(), z.int()),
});

const { type: name, args, dryRun, notified, ports } = order.parse(JSON.parse(await text(process.stdin)));
const type = stateTypes.get(name);
if (type === undefined) throw new Error(`no state type "${name}"`);
const registry = openRegistry('/var/lib/conductor/minion/registry.json', {
  dryRun,
  onCorrupt: (why) => {
    throw new Error(why);
  },
});
const log = createLogger({ name: 'driver', level: 'warn', write: (line) => process.stderr.write(line) });
const hosts = createRealHost({ minion: 'proof', registry, ports: new Map(Object.entries(ports)), log });
const host = hosts.within(new AbortController().signal);

try {
  const convergence = await converge(type, type.schema.parse(args), host, { dryRun, notified });
  process.stdout.write(JSON.stringify(convergence));
} catch (error) {
  if (!(error instanceof ConductorError)) throw error;
  const { code, message, details } = error;
  process.stdout.write(JSON.stringify({ status: 'failed', code, message, output: details['output'] ?? '' }));
}
