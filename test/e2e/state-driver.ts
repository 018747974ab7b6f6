import { execFileSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { converge } from '../../minion/engine/converge.ts';
import { createAtRest } from '../../minion/host/at-rest.ts';
import { openKeeps } from '../../minion/host/keeps.ts';
import { createRealHost } from '../../minion/host/real-host.ts';
import { openRegistry } from '../../minion/host/registry.ts';
import { stateTypes } from '../../minion/state-types/index.ts';
import { nodeCrypto } from '../../protocol/node-crypto.ts';
import { ConductorError } from '../../shared/errors.ts';
import { createLogger } from '../../shared/log.ts';

/**
 * Runs on a test host: takes the steps that come in on standard input, with the real engine on the real host, and
 * prints what each took as JSON. Every step sees the host anew, as a run of its own would.
 */
const order = z.strictObject({
  type: z.string(),
  args: z.unknown(),
  steps: z.array(z.enum(['plan', 'apply', 'notify'])),
  ports: z.record(z.string(), z.int()),
});
type Order = z.infer<typeof order>;

/** What a dry run must leave as it is. */
const UNTOUCHED = [
  '/etc',
  '/srv',
  '/home',
  '/root',
  '/usr/local',
  '/opt',
  '/var/lib/conductor',
  '/var/www',
];

const log = createLogger({
  name: 'driver',
  level: 'warn',
  write: (line) => process.stderr.write(line),
});
const atRest = createAtRest(nodeCrypto, '0'.repeat(64));
const asked = order.parse(JSON.parse(await text(process.stdin)));
const answers = [];
for (const step of asked.steps) answers.push(await take(step, asked));
process.stdout.write(JSON.stringify(answers));

async function take(
  step: Order['steps'][number],
  { type: name, args, ports }: Order,
): Promise<unknown> {
  const type = stateTypes.get(name);
  if (type === undefined) throw new Error(`no state type "${name}"`);
  const dryRun = step === 'plan';
  const registry = openRegistry('/var/lib/conductor/minion/registry.json', {
    dryRun,
    onCorrupt: (why) => {
      throw new Error(why);
    },
  });
  const hosts = createRealHost({
    minion: 'proof',
    registry,
    keeps: openKeeps({ stateDirectory: '/var/lib/conductor/minion', atRest, log }),
    ports: new Map(Object.entries(ports)),
    log,
  });
  const host = hosts.within(new AbortController().signal);
  execFileSync('touch', ['/run/before-step']);
  try {
    const options = { dryRun, notified: step === 'notify' };
    const convergence = await converge(type, type.schema.parse(args), host, options);
    return { ...convergence, wrote: dryRun ? writtenSince() : '' };
  } catch (error) {
    if (!(error instanceof ConductorError)) throw error;
    const { code, message, details } = error;
    const wrote = dryRun ? writtenSince() : '';
    return { status: 'failed', code, message, output: details['output'] ?? '', wrote };
  }
}

function writtenSince(): string {
  const there = execFileSync('ls', ['-d', ...UNTOUCHED])
    .toString()
    .trim()
    .split('\n');
  return execFileSync('find', [...there, '-newer', '/run/before-step'])
    .toString()
    .trim();
}
